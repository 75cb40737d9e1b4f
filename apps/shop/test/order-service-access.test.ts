import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { signDevelopmentToken } from "./development-secret.ts";
import { detailsOf } from "./error-details.ts";
import type { LooseMessage } from "./grpc-client.ts";
import { createShopUnderTest, pagesOf, type ShopUnderTest } from "./shop-under-test.ts";

let shop: ShopUnderTest;
beforeEach(async () => {
  shop = await createShopUnderTest();
});
afterEach(() => shop.end());

type Headers = Readonly<Record<string, string>>;

const newKey = () => randomBytes(32).toString("hex");
const order = { user_id: "ada", items: [{ sku: "book", quantity: 1, unit_price_cents: "100" }] };
const ada = { email: "ada@example.org", first_name: "Ada", last_name: "Lovelace", password: "correct horse" };

/** order-service, and the result of a call to it: "OK", or the reason of the refusal. */
async function startOrders(set: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const service = await shop.start("order-service", set, env);
  const orders = shop.open("shop.order.v1.OrderService", service.address);
  const outcome = (method: string, request: LooseMessage, headers: Headers) =>
    orders.call(method, request, headers).then(
      () => "OK",
      (error: ServiceError) => `${status[error.code]} ${detailsOf(error)["google.rpc.ErrorInfo"]?.reason}`,
    );
  return { service, outcome };
}

test("listing orders requires an admin's token for order-service", { timeout: 180_000 }, async () => {
  const { outcome } = await startOrders();
  const token = { role: "admin", subject: "developer", minutes: 5, audience: ["user-service"] } as const;
  const forUserService = { authorization: `Bearer ${await signDevelopmentToken(shop.secret, token)}` };
  for (const [headers, expected] of [
    [{}, "UNAUTHENTICATED TOKEN_MISSING"],
    [{ authorization: "Bearer a.b.c" }, "UNAUTHENTICATED TOKEN_INVALID"],
    [forUserService, "UNAUTHENTICATED TOKEN_INVALID"],
    [{ "x-service-key": newKey() }, "UNAUTHENTICATED TOKEN_MISSING"],
    [await shop.tokenOf("user"), "PERMISSION_DENIED ROLE_MISSING"],
    [await shop.tokenOf("admin"), "OK"],
  ] as const) {
    assert.equal(await outcome("ListOrders", {}, headers), expected);
  }
});

test("user-service may only place orders with its key, and other programs may do nothing", {
  timeout: 180_000,
}, async () => {
  const [ours, theirs] = [newKey(), newKey()];
  const file = shop.write("keys", `user-service ${ours}\nmailer ${theirs}\n`);
  const { outcome } = await startOrders([`security.service_keys_file=${file}`]);
  assert.equal(await outcome("CreateOrder", order, { "x-service-key": ours }), "OK");
  assert.equal(await outcome("ListOrders", {}, { "x-service-key": ours }), "UNAUTHENTICATED TOKEN_MISSING");
  assert.equal(await outcome("CreateOrder", order, { "x-service-key": theirs }), "PERMISSION_DENIED CALLER_DENIED");
  assert.equal(await outcome("CreateOrder", order, { "x-service-key": newKey() }), "UNAUTHENTICATED KEY_INVALID");
  assert.equal(await outcome("CreateOrder", order, {}), "UNAUTHENTICATED TOKEN_MISSING");
});

test("a user-service with a refused key logs it, and still creates the user", {
  timeout: 180_000,
}, async () => {
  const file = shop.write("keys", `user-service ${newKey()}\n`);
  await startOrders([`security.service_keys_file=${file}`]);
  const users = await shop.start("user-service", [], { TERCEL__SECURITY__SERVICE_AUTH_KEY: newKey() });
  await shop.open("user.v1.UserService", users.address).call("CreateUser", ada, await shop.tokenOf("admin"));
  const { error } = await users.process.record({ message: "welcome order failed; it will be placed later" });
  assert.match(String(error), /unauthenticated.*service key is not valid/);
});

test("in production user-service is identified by the key in its file, and no service starts without a token issuer", {
  timeout: 180_000,
}, async () => {
  // All environments except development and test have the production profile.
  const production = { TERCEL_ENV: "staging" };
  const cleartext = ["service.insecure=true", "service.propagation=0", "service.start.wait=1s"];
  const issuer = ["security.jwt.jwks_url=http://127.0.0.1:1/keys", "security.jwt.issuer=absent"];
  // Creates the schemas, which the production profile does not do at the start.
  for (const name of ["order-service", "user-service"] as const) {
    const { process } = await shop.start(name);
    process.signal("SIGTERM");
    await process.ended;
  }
  await assert.rejects(
    shop.start("order-service", cleartext, production),
    /access rules need a token issuer, but none is configured .*set security\.jwt\.jwks_url/,
  );

  const key = newKey();
  const file = shop.write("keys", `user-service ${key}\n`);
  await startOrders([...cleartext, ...issuer, `security.service_keys_file=${file}`], production);
  const users = await shop.start("user-service", [], { TERCEL__SECURITY__SERVICE_AUTH_KEY: key });
  await shop.open("user.v1.UserService", users.address).call("CreateUser", ada, await shop.tokenOf("admin"));
  await users.process.record({ message: "welcome order placed" });
});

test("with mutual TLS user-service places orders with its certificate, and clients without one cannot connect", {
  timeout: 180_000,
  skip: withoutOpenssl,
}, async (t) => {
  const authority = createAuthority();
  t.after(() => authority.dispose());
  const caFile = shop.write("ca.pem", authority.cert.toString());
  /** Returns the settings with the certificate files of a service. */
  const certified = (name: string, section: string) => {
    const { key, cert } = authority.issue({ names: [`DNS:${name}`, "IP:127.0.0.1"] });
    return [
      `${section}.enabled=true`,
      `${section}.ca_file=${caFile}`,
      `${section}.cert_file=${shop.write(`${name}.pem`, cert.toString())}`,
      `${section}.key_file=${shop.write(`${name}.key`, key.toString())}`,
    ];
  };
  const tls = "communication.providers.grpc.tls";
  const { address } = await shop.start("order-service", [
    ...certified("order-service", tls),
    `${tls}.client_auth=required`,
  ]);
  const users = await shop.start("user-service", certified("user-service", "dependencies.order-service.tls"));
  await shop.open("user.v1.UserService", users.address).call("CreateUser", ada, await shop.tokenOf("admin"));
  await users.process.record({ message: "welcome order placed" });
  const stranger = shop.open("shop.order.v1.OrderService", address, authority.cert);
  await assert.rejects(stranger.call("ListOrders", {}, await shop.tokenOf("admin"), 2_000));
});

test("calls of an address are limited before their tokens are verified, and those of user-service are not", {
  timeout: 180_000,
}, async () => {
  const key = newKey();
  const file = shop.write("keys", `user-service ${key}\n`);
  const { outcome } = await startOrders([
    `security.service_keys_file=${file}`,
    "rate_limit.enabled=true",
    "rate_limit.address_calls=2",
  ]);
  const guess = { authorization: "Bearer a.b.c" };
  for (let nth = 0; nth < 3; nth++) assert.equal(await outcome("CreateOrder", order, { "x-service-key": key }), "OK");
  for (let nth = 0; nth < 2; nth++) assert.match(await outcome("CreateOrder", order, guess), /^UNAUTHENTICATED/);
  assert.match(await outcome("CreateOrder", order, guess), /^RESOURCE_EXHAUSTED/);
  assert.equal(await outcome("CreateOrder", order, { "x-service-key": key }), "OK");
});

test("order-service has metrics for Prometheus, and reports whether it is ready", { timeout: 180_000 }, async () => {
  const { service, outcome } = await startOrders();
  assert.equal(await outcome("ListOrders", {}, await shop.tokenOf("admin")), "OK");
  await outcome("ListOrders", {}, {});
  const page = await pagesOf(service);
  const metrics = (await page("/metrics")).text;
  for (const one of ["OK", "UNAUTHENTICATED"]) {
    const line = `grpc_server_requests_total{service="shop.order.v1.OrderService",method="ListOrders",status="${one}"} 1`;
    assert.ok(metrics.includes(line), one);
  }
  assert.ok(metrics.includes("grpc_active_connections 1"));
  const ready = await page("/ready");
  assert.equal(ready.status, 200);
  // payment-service is optional, because orders wait for it.
  const { status: told, warnings } = JSON.parse(ready.text) as { status: string; warnings: string[] };
  assert.equal(told, "SERVING");
  assert.match(warnings.join(), /^payment-service v1: no instance at /);
});
