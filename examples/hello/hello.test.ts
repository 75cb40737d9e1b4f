import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, startProgram } from "@tercel/test-support/programs";

test("the server responds to the client, and exits at Ctrl-C", async (t) => {
  const server = startProgram(t, join(import.meta.dirname, "server.ts"), [], { PORT: "0" });
  const address = (await server.line()).replace("listening on ", "");
  assert.equal(runProgram(join(import.meta.dirname, "client.ts"), [address]), "Hello, Ada!\n3\n2\n1\n");
  server.signal("SIGINT");
  assert.deepEqual(await server.ended, [0, null]);
});

test("a second server on the same port exits with code 1 and a message that says what to do, without a stack", async (t) => {
  const file = join(import.meta.dirname, "server.ts");
  const server = startProgram(t, file, [], { PORT: "0" });
  const address = (await server.line()).replace("listening on ", "");
  const env = { ...process.env, PORT: address.split(":")[1] };
  const second = spawnSync(process.execPath, ["--conditions=source", file], { env, encoding: "utf8", timeout: 60_000 });
  assert.equal(second.status, 1);
  assert.ok(second.stderr.includes(`cannot listen on ${address}: the port is in use`), second.stderr);
  assert.doesNotMatch(second.stderr, /^ +at /m);
  server.signal("SIGINT");
  assert.deepEqual(await server.ended, [0, null]);
});
