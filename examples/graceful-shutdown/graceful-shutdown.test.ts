import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { startProgram } from "@tercel/test-support/programs";

test("the server reports NOT_SERVING, then stops its parts in order", async (t) => {
  const server = startProgram(t, join(import.meta.dirname, "server.ts"), [], { PORT: "0" });
  const channel = createChannel((await server.line()).replace("listening on ", ""));
  t.after(() => channel.close());
  const watching = createClient(createHealth().service, channel).watch({})[Symbol.asyncIterator]();
  assert.equal((await watching.next()).value?.status, 1);
  server.signal("SIGINT");
  assert.equal((await watching.next()).value?.status, 2);
  // A watch never ends, so the drain does not wait for it.
  await assert.rejects(watching.next(), /the server is shutting down/);
  await channel.close();
  assert.equal(await server.line(), "notes closed after opened, registered, deregistered");
  assert.deepEqual(await server.ended, [0, null]);
});
