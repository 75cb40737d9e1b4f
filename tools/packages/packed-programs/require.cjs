// A CommonJS program of a user: a server and a call to it, by require().
const { createChannel, createClient, createServer } = require("@tercel/grpc");
const { createHealth } = require("@tercel/grpc/services");

async function main() {
  const health = createHealth();
  const server = createServer({ routes: health.routes });
  const { port } = await server.listen({ port: 0 });
  const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 5000 });
  const { status } = await createClient(health.service, channel).check({});
  console.log(`status ${status}`);
  await channel.close();
  await server.close();
}

void main();
