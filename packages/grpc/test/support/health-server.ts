// A server of the health service on a free port, or on the one that is named: node health-server.ts [PORT]. Prints its port.
import { createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

const health = createHealth();
health.setStatus("", "SERVING");
const server = createServer({ routes: health.routes });
const { port } = await server.listen({ port: Number(process.argv[2] ?? 0), host: "127.0.0.1" });
console.log(JSON.stringify({ port }));
