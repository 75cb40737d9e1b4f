import { createClient, createContextValues } from "@connectrpc/connect";
import { createChannel, createServer, waitForReady } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

const health = createHealth();
const server = createServer({ routes: (router) => health.routes(router) });
const { port } = await server.listen({ port: 0 });

// All gRPC libraries read this JSON, so the owner of a service can give it to all clients.
const serviceConfig = `{
  "loadBalancingConfig": [{ "pick_first": {} }],
  "methodConfig": [
    { "name": [{}], "timeout": "5s" },
    { "name": [{ "service": "grpc.health.v1.Health", "method": "Check" }], "timeout": "1s", "maxRequestMessageBytes": 64 }
  ]
}`;
const channel = createChannel(`127.0.0.1:${port}`, { serviceConfig });
const client = createClient(health.service, channel);

console.log("status", (await client.check({})).status);
const tooLarge = await client.check({ service: "x".repeat(100) }).catch((error) => error);
console.log(String(tooLarge));
// A single call can override the service config.
const contextValues = createContextValues().set(waitForReady, true);
console.log("status", (await client.check({}, { contextValues })).status);
await channel.close();
await server.close();

try {
  createChannel("localhost:50051", { serviceConfig: { methodConfig: [{ name: [{}], timeout: "1 second" }] } });
} catch (error) {
  console.log(String(error));
}
