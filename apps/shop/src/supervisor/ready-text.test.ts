import assert from "node:assert/strict";
import { test } from "node:test";
import { type OpenShop, readyText } from "./ready-text.ts";

const services: OpenShop["services"] = {
  "user-service": { address: "127.0.0.1:50051", http: "127.0.0.1:8080" },
  "order-service": { address: "127.0.0.1:50052" },
  "payment-service": { address: "127.0.0.1:50053" },
  "notification-service": { address: "127.0.0.1:50054" },
};
const open: OpenShop = { services, token: "a.b.c" };

test("all addresses, a token, calls to copy and the way out are shown", () => {
  const text = readyText(open);
  for (const [name, { address }] of Object.entries(services)) assert.match(text, new RegExp(`${name} +${address}`));
  assert.match(text, /^ {2}TOKEN=a\.b\.c$/m);
  assert.match(
    text,
    /^ {2}grpcurl -plaintext -H "authorization: Bearer \$TOKEN" -d '\{"email".* user\.v1\.UserService\/CreateUser$/m,
  );
  assert.match(text, /^ {2}curl -s .* http:\/\/127\.0\.0\.1:8080\/v1\/users$/m);
  assert.match(text, /^ {2}http:\/\/127\.0\.0\.1:8080\/#token=a\.b\.c$/m);
  const old = `grpcurl -plaintext -d '{"name":"Grace Hopper","email":"grace@example.org"}' 127.0.0.1:50051 user.UserService/CreateUser`;
  assert.ok(text.includes(`  ${old}\n`));
  assert.match(text, /No grpcurl\?/);
  assert.match(text, /Ctrl-C/);
});

test("a call to copy names an address that can be connected to", () => {
  const at = (address: string) => readyText({ ...open, services: { ...services, "user-service": { address } } });
  assert.match(at("0.0.0.0:1"), / 127\.0\.0\.1:1 user\.v1\.UserService/);
  assert.match(at("[::]:1"), / \[::1\]:1 user\.v1\.UserService/);
  assert.match(at(":::1"), / \[::1\]:1 user\.v1\.UserService/);
});

test("REST and the page are not shown where they are not served", () => {
  const { http: _http, ...users } = services["user-service"];
  assert.doesNotMatch(readyText({ ...open, services: { ...services, "user-service": users } }), /curl -s|REST|#token/);
});
