import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

const health = createHealth();
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const start = async (port = 0) => {
  const server = createServer({ routes: (router) => health.routes(router) });
  const listening = await server.listen({ port });
  return { server, port: listening.port };
};
const servers = await Promise.all([start(), start(), start()]);

const channel = createChannel(`static:///${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`, {
  defaultTimeoutMs: 10_000,
  serviceConfig: { loadBalancingConfig: [{ round_robin: {} }] },
});
const client = createClient(health.service, channel);

// Ten clients that call without pause.
let [isOver, answered, failed] = [false, 0, 0];
const callers = Array.from({ length: 10 }, async () => {
  while (!isOver) {
    await client.check({}).then(
      () => answered++,
      () => failed++,
    );
    await nextTurn();
  }
});
const untilCalled = async (calls: number): Promise<void> => {
  while (servers.some(({ server }) => server.calls.started < calls)) await nextTurn();
};

for (const running of servers) {
  // Waits until each server gets calls again. A channel takes up to a second to reconnect to a restarted one.
  await untilCalled(50);
  // Accepts no new calls, sends GOAWAY, and lets running calls finish.
  await running.server.close();
  running.server = (await start(running.port)).server;
}
await untilCalled(50);
isOver = true;
await Promise.all(callers);
console.log(
  `three servers were restarted: ${answered >= 300 ? "300 calls and more" : answered} answered, ${failed} failed`,
);

await channel.close();
await Promise.all(servers.map(({ server }) => server.close()));
