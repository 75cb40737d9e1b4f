import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";

const registry = createRegistryService();
const server = createServer({ routes: registry.routes });
const { host, port } = await server.listen({ port: Number(process.env.PORT ?? 50050) });
console.log(`registry on ${host}:${port}`);
process.once("SIGINT", async () => {
  registry.close();
  await server.close();
});
