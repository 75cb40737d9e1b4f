import { createEmbeddedRegistry } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";
import { WhoAmIService } from "./gen/whoami/v1/whoami_pb.ts";

const [id = "one", target = "127.0.0.1:50050"] = process.argv.slice(2);
const server = createServer({
  routes: (router) => router.service(WhoAmIService, { whoAmI: () => ({ instance: id }) }),
});
const { host, port } = await server.listen({ port: 0 });

const registry = createEmbeddedRegistry({ target });
await registry.register({ name: "whoami", id, address: host, port, endpoints: [WhoAmIService.typeName] });
console.log(`${id} on ${host}:${port}`);
process.once("SIGINT", async () => {
  // Removes the instance from the registry first, then lets running calls finish.
  await registry.close();
  await server.close();
});
