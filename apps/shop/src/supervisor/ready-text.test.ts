import assert from "node:assert/strict";
import { test } from "node:test";
import { type OpenShop, readyText } from "./ready-text.ts";

const open: OpenShop = {
  userAddress: "127.0.0.1:50051",
  orderAddresses: ["127.0.0.1:50052", "127.0.0.1:50053"],
  metricsAddresses: ["127.0.0.1:9464", "127.0.0.1:9465"],
  token: "a.b.c",
  reflection: true,
  isOldPackageOpen: true,
};

test("all addresses, a token, calls to copy and the way out are shown", () => {
  const text = readyText(open);
  assert.match(text, /user-service {3}127\.0\.0\.1:50051/);
  assert.match(text, /order-service {2}127\.0\.0\.1:50052, 127\.0\.0\.1:50053/);
  assert.match(text, /http:\/\/127\.0\.0\.1:9464\/metrics, http:\/\/127\.0\.0\.1:9465\/metrics/);
  assert.match(text, /^ {2}TOKEN=a\.b\.c$/m);
  assert.match(
    text,
    /^ {2}grpcurl -plaintext -H "authorization: Bearer \$TOKEN" -d '\{"email".* user\.v1\.UserService\/CreateUser$/m,
  );
  const old = `grpcurl -plaintext -d '{"name":"Grace Hopper","email":"grace@example.org"}' 127.0.0.1:50051 user.UserService/CreateUser`;
  assert.ok(text.includes(`  ${old}\n`));
  assert.match(text, /No grpcurl\?/);
  assert.match(text, /Ctrl-C/);
});

test("a call to copy names an address that can be connected to", () => {
  const addresses = (address: string) => ({ ...open, userAddress: address, metricsAddresses: [address] });
  assert.match(readyText(addresses("0.0.0.0:1")), / 127\.0\.0\.1:1 user\.v1\.UserService/);
  assert.match(readyText(addresses("[::]:1")), / \[::1\]:1 user\.v1\.UserService/);
  assert.match(readyText(addresses("0.0.0.0:1")), /http:\/\/127\.0\.0\.1:1\/metrics/);
});

test("what is not there is not shown", () => {
  const text = readyText({ ...open, metricsAddresses: [], token: undefined, isOldPackageOpen: false });
  assert.doesNotMatch(text, /metrics|TOKEN=| user\.UserService/);
  assert.match(text, /token of your issuer as TOKEN/);
});

test("without reflection no call is shown, because it would not work", () => {
  assert.doesNotMatch(readyText({ ...open, reflection: false }), /grpcurl/);
});
