import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createChannel, createClient } from "@tercel/grpc";
import { startProgram } from "@tercel/test-support/programs";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";

test("serves a call, reports SERVING, and stops at SIGINT", async (t) => {
  const server = startProgram(t, join(import.meta.dirname, "server.ts"), ["--set", "service.port=0"]);
  const { message, address } = JSON.parse(await server.line()) as { message: string; address: string };
  assert.equal(message, "ready");
  const channel = createChannel(address, { defaultTimeoutMs: 20_000 });
  t.after(() => channel.close());
  assert.equal((await createClient(HelloService, channel).sayHello({ name: "Ada" })).greeting, "Hello, Ada!");
  server.signal("SIGINT");
  assert.deepEqual(await server.ended, [0, null]);
});
