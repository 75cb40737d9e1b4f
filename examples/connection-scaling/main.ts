import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

// The server accepts two concurrent calls on a connection; the default is 200.
const health = createHealth();
const server = createServer({ routes: (router) => health.routes(router), maxConcurrentStreams: 2 });
const { port } = await server.listen({ port: 0 });

/** Opens five streams at once with a timeout, and keeps them open. */
async function fiveWatches(timeoutMs: number, maxConnectionsPerSubchannel?: number): Promise<string> {
  const channel = createChannel(`127.0.0.1:${port}`, {
    serviceConfig: {
      ...(maxConnectionsPerSubchannel !== undefined && { connectionScaling: { maxConnectionsPerSubchannel } }),
    },
  });
  const client = createClient(health.service, channel);
  const controller = new AbortController();
  let begun = 0;
  const watches = Array.from({ length: 5 }, async () => {
    for await (const _status of client.watch({}, { signal: controller.signal, timeoutMs })) begun++;
  });
  // Streams over the limit wait for a free one until their deadline.
  const over = Promise.allSettled(watches);
  while (begun < 5 && (await Promise.race([over, new Promise((resolve) => setImmediate(resolve))])) === undefined);
  const found = `${begun} of 5 on ${server.openConnections} connections`;
  controller.abort();
  await over;
  await channel.close();
  return found;
}

console.log("as many connections as it takes, up to ten:", await fiveWatches(30_000));
while (server.openConnections > 0) await new Promise((resolve) => setImmediate(resolve));
console.log("at most one:", await fiveWatches(2000, 1));
await server.close();
