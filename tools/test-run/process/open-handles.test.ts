import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { it } from "node:test";
import { addedSince, listHandles, openHandles } from "./open-handles.ts";

it("names a server and a timer that keep the process alive, and omits unreferenced and earlier ones", async () => {
  const before = openHandles();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const timers = [1, 2].map(() => setTimeout(() => {}, 60_000));
  const idle = setTimeout(() => {}, 60_000).unref();
  const added = addedSince(before, openHandles());
  assert.match(listHandles(added), /^Server listening on 127\.0\.0\.1:\d+, 2 × Timeout$/);
  for (const timer of [...timers, idle]) clearTimeout(timer);
  server.close();
  await once(server, "close");
  assert.deepEqual(addedSince(before, openHandles()), []);
});

it("counts equal handles", () => {
  assert.deepEqual(addedSince(["a", "b"], ["a", "a", "b"]), ["a"]);
});
