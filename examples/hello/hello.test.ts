import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, startProgram } from "@tercel/test-support/programs";

test("the server answers the client, and ends by itself at Ctrl-C", async (t) => {
  const server = startProgram(t, join(import.meta.dirname, "server.ts"), [], { PORT: "0" });
  const address = (await server.line()).replace("listening on ", "");
  assert.equal(runProgram(join(import.meta.dirname, "client.ts"), [address]), "Hello, Ada!\n3\n2\n1\n");
  server.signal("SIGINT");
  assert.deepEqual(await server.ended, [0, null]);
});
