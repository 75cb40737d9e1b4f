import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createIdempotency, createSqliteIdempotencyStore } from "@tercel/interceptors/idempotency";

// The health service, because it is included. Its method stands for one that takes a payment.
const { service } = createHealth();
let payments = 0;

const folder = mkdtempSync(join(tmpdir(), "tercel-idempotency-"));
const path = join(folder, "keys.db");

/** Starts a server. A restarted server has the keys of the previous one. */
async function startServer() {
  const store = createSqliteIdempotencyStore({ path });
  const server = createServer({
    routes: (router) => {
      router.service(service, {
        check(request) {
          payments++;
          console.log(`taking payment ${payments}, for ${request.service}`);
          return { status: 1 };
        },
      });
    },
    interceptors: [createIdempotency({ store })],
  });
  const { port } = await server.listen({ port: 0 });
  const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 5000 });
  return {
    client: createClient(service, channel),
    async stop() {
      await channel.close();
      await server.close();
      store.close();
    },
  };
}

let { client, stop } = await startServer();
const pay = async (order: string, key: string): Promise<void> => {
  try {
    await client.check(
      { service: order },
      {
        headers: { "idempotency-key": key },
        onHeader: (header) =>
          console.log(order, key, header.has("idempotent-replayed") ? "is a repeated response" : "is a new response"),
      },
    );
  } catch (error) {
    console.log(order, key, String(error));
  }
};

await Promise.all([pay("order-1", "key-a"), pay("order-1", "key-a")]);
await stop();
({ client, stop } = await startServer());
await pay("order-1", "key-a");
await pay("order-2", "key-a");
await pay("order-2", "key-b");
await stop();
rmSync(folder, { recursive: true });
