import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";

test("the server says that it will stop, then stops in order", async (t) => {
  const server = spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "server.ts")], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(server, "exit");
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const { value: line } = (await lines.next()) as { value: string };
  const channel = createChannel(line.replace("listening on ", ""));
  t.after(() => channel.close());
  const watching = createClient(createHealth().service, channel).watch({})[Symbol.asyncIterator]();
  assert.equal((await watching.next()).value?.status, 1);
  server.kill("SIGINT");
  assert.equal((await watching.next()).value?.status, 2);
  // A watch has no end of its own; the drain does not wait for it.
  await assert.rejects(watching.next(), /the server is shutting down/);
  await channel.close();
  assert.equal((await lines.next()).value, "notes closed after opened, registered, deregistered");
  assert.deepEqual(await ended, [0, null]);
});
