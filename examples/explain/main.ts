import { createClient } from "@connectrpc/connect";
import { createChannel, createServer, explainError } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The health service, because it is included. It responds to one call only.
const { service } = createHealth();
let calls = 0;
const server = createServer({
  routes: (router) => router.service(service, { check: () => (calls++ === 0 ? { status: 1 } : new Promise(() => {})) }),
});
const { port } = await server.listen({ port: 0 });
const channel = createChannel(`127.0.0.1:${port}`);
const client = createClient(service, channel);

await client.check({});
try {
  await client.check({}, { timeoutMs: 100 });
} catch (error) {
  console.log(String(error));
  const explanation = explainError(error);
  console.log(`phase: ${explanation?.phase}; endpoint: ${explanation?.attempts[0]?.endpoint}`);
  console.log(explanation?.line);
}
console.log(channel.explain().line);
await server.close({ deadlineMs: 0 });
await channel.close();
