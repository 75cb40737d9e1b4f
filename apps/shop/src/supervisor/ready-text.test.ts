import assert from "node:assert/strict";
import { test } from "node:test";
import { readyText } from "./ready-text.ts";

test("all addresses, a call to copy and the way out are shown", () => {
  const text = readyText("127.0.0.1:50051", ["127.0.0.1:50052", "127.0.0.1:50053"]);
  assert.match(text, /user-service {3}127\.0\.0\.1:50051/);
  assert.match(text, /order-service {2}127\.0\.0\.1:50052, 127\.0\.0\.1:50053/);
  const call = `grpcurl -plaintext -d '{"name":"Ada","email":"ada@example.org"}' 127.0.0.1:50051 user.UserService/CreateUser`;
  assert.ok(text.includes(`  ${call}\n`));
  assert.match(text, /No grpcurl\?/);
  assert.match(text, /Ctrl-C/);
});

test("a call to copy names an address that can be connected to", () => {
  assert.match(readyText("0.0.0.0:1", ["0.0.0.0:2"]), / 127\.0\.0\.1:1 user\.UserService/);
  assert.match(readyText("[::]:1", ["[::]:2"]), / \[::1\]:1 user\.UserService/);
});
