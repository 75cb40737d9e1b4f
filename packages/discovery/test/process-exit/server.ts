// Hosts a registry and, registered in it, a server of the health service. Prints the registry's address.
import { createEmbeddedRegistry, createRegistryService } from "@tercel/discovery/embedded";
import { createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

const health = createHealth();
health.setStatus("", "SERVING");
const service = createRegistryService();
const server = createServer({
  routes(router) {
    health.routes(router);
    service.routes(router);
  },
});
const { port } = await server.listen({ port: 0 });
const target = `127.0.0.1:${port}`;
await createEmbeddedRegistry({ target }).register({ name: "health", address: "127.0.0.1", port });
console.log(target);
