import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { type ServiceError, status } from "@grpc/grpc-js";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { serviceNames } from "./development-secret.ts";
import { detailsOf } from "./error-details.ts";
import { Inbox } from "./inbox.ts";
import { alone, createShopUnderTest, pagesOf, type ShopUnderTest } from "./shop-under-test.ts";

let shop: ShopUnderTest;
beforeEach(async () => {
  shop = await createShopUnderTest();
});
afterEach(() => shop.end());

const ada = { email: "ada@example.org", first_name: "Ada", last_name: "Lovelace", password: "correct horse" };

/** An HTTP server that has the same response for all requests, and records them. */
async function serveHttp(answer: string) {
  const bodies: Buffer[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    bodies.push(Buffer.concat(await request.toArray()));
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, bodies, close };
}

test("the call over the limit of a minute gets RetryInfo", { timeout: 180_000 }, async () => {
  const { address } = await shop.start("user-service", [...alone, "rate_limit.enabled=true", "rate_limit.calls=3"]);
  const users = shop.open("user.v1.UserService", address);
  const [one, other] = [await shop.tokenOf("admin", "one"), await shop.tokenOf("admin", "other")];
  for (let nth = 0; nth < 3; nth++) await users.call("ListUsers", { page_size: 1 }, one);
  const error = await users.call("ListUsers", { page_size: 1 }, one).then(
    () => assert.fail("it was let through"),
    (reason: ServiceError) => reason,
  );
  assert.equal(error.code, status.RESOURCE_EXHAUSTED);
  const details = detailsOf(error);
  const { seconds } = details["google.rpc.RetryInfo"]?.retry_delay ?? {};
  assert.ok(Number(seconds) > 0 && Number(seconds) <= 60, seconds);
  const { requests_per_unit, unit, retry_after_seconds } = details["common.v1.RateLimitInfo"] ?? {};
  assert.deepEqual([requests_per_unit, unit], ["3", "minute"]);
  assert.ok(Number(retry_after_seconds) >= Number(seconds));
  assert.match(String(error.metadata.get("grpc-retry-pushback-ms")[0]), /^\d+$/);
  // Each client has its own count, and probes do not count.
  await users.call("ListUsers", { page_size: 1 }, other);
  const health = shop.open("grpc.health.v1.Health", address);
  for (let nth = 0; nth < 5; nth++) await health.call("Check", {});
  // Reflection calls, which tools make before each call, do not count either.
  const reflection = shop.open("grpc.reflection.v1.ServerReflection", address);
  for (let nth = 0; nth < 5; nth++) {
    const [answer] = await reflection.stream("ServerReflectionInfo", { list_services: "" }).toArray();
    assert.ok(answer.list_services_response.service.length > 0);
  }
});

test("an address may try a limited number of tokens per minute, and then no token is verified", {
  timeout: 180_000,
}, async () => {
  const { address } = await shop.start("user-service", [
    ...alone,
    "rate_limit.enabled=true",
    "rate_limit.address_calls=3",
  ]);
  const users = shop.open("user.v1.UserService", address);
  const listing = (headers: Record<string, string>) =>
    users.call("ListUsers", { page_size: 1 }, headers).then(
      () => assert.fail("it was let through"),
      (reason: ServiceError) => reason,
    );
  const guess = { authorization: "Bearer a.b.c" };
  for (const headers of [{}, guess, guess]) assert.equal((await listing(headers)).code, status.UNAUTHENTICATED);
  // A valid token is refused too, because it is not verified.
  for (const headers of [{}, guess, await shop.tokenOf("admin")]) {
    const error = await listing(headers);
    assert.equal(error.code, status.RESOURCE_EXHAUSTED);
    assert.ok(Number(detailsOf(error)["google.rpc.RetryInfo"]?.retry_delay.seconds) > 0);
  }
  const health = shop.open("grpc.health.v1.Health", address);
  assert.equal((await health.call("Check", {})).status, "SERVING");
});

test("users, keys, page tokens and resume tokens survive a restart", { timeout: 180_000 }, async () => {
  const before = await shop.start("user-service", alone);
  let users = shop.open("user.v1.UserService", before.address);
  const admin = await shop.tokenOf("admin");
  const keyed = { ...admin, "idempotency-key": "k" };
  const first = await users.call("CreateUser", ada, keyed);
  await users.call("CreateUser", { ...ada, email: "eve@example.org" }, admin);
  const page = await users.call("ListUsers", { page_size: 1 }, admin);
  before.process.signal("SIGTERM");
  assert.equal(await before.process.ended, 0);

  const again = await shop.start("user-service", alone);
  users = shop.open("user.v1.UserService", again.address);
  assert.deepEqual(await users.call("GetUser", { id: first.user.id }, admin), first);
  assert.deepEqual(await users.call("CreateUser", ada, keyed), first);
  const rest = await users.call("ListUsers", { page_size: 1, page_token: page.next_page_token }, admin);
  assert.equal(rest.users[0].email, "eve@example.org");
  assert.equal(rest.next_page_token, "");
});

test("a stop ends streams of updates with UNAVAILABLE and does not wait for them", {
  timeout: 180_000,
}, async () => {
  const { process, address } = await shop.start("user-service", alone);
  const users = shop.open("user.v1.UserService", address);
  const admin = await shop.tokenOf("admin");
  const stream = users.stream("StreamUserUpdates", {}, admin);
  const ended = stream.toArray().then(
    () => assert.fail("it ended well"),
    (error: ServiceError) => error,
  );
  // The stream is open after its first update.
  const told = once(stream, "readable");
  let isTold = false;
  void told.then(() => {
    isTold = true;
  });
  for (let nth = 0; !isTold; nth++) await users.call("CreateUser", { ...ada, email: `ada${nth}@example.org` }, admin);
  process.signal("SIGTERM");
  assert.equal((await ended).code, status.UNAVAILABLE);
  assert.equal(await process.ended, 0);
});

test("user-service is not ready without order-service, says why, and is ready when order-service is available", {
  timeout: 180_000,
}, async () => {
  const orders = await shop.start("order-service");
  const users = await shop.start("user-service");
  const health = shop.open("grpc.health.v1.Health", users.address);
  const page = await pagesOf(users);
  assert.equal((await health.call("Check", { service: "user.v1.UserService" })).status, "SERVING");
  assert.equal((await page("/ready")).status, 200);

  const watch = health.stream("Watch", { service: "user.v1.UserService" }, {}, 60_000);
  watch.on("error", () => {});
  const changes = watch[Symbol.asyncIterator]();
  assert.equal((await changes.next()).value.status, "SERVING");
  orders.process.signal("SIGTERM");
  assert.equal((await changes.next()).value.status, "NOT_SERVING");
  const ready = await page("/ready");
  assert.equal(ready.status, 503);
  const { status: told, reasons } = JSON.parse(ready.text) as { status: string; reasons: string[] };
  assert.equal(told, "NOT_SERVING");
  assert.equal(reasons.length, 1);
  assert.match(reasons[0] ?? "", /^order-service v1: /);
  const line = await users.process.record({ message: "a dependency is missing" });
  assert.equal(line.dependency, "order-service v1");

  await shop.start("order-service");
  assert.equal((await changes.next()).value.status, "SERVING");
  watch.cancel();
});

test("health has a status for the server, each service and each package", { timeout: 180_000 }, async () => {
  const { address } = await shop.start("user-service", alone);
  const health = shop.open("grpc.health.v1.Health", address);
  for (const service of ["", "user", "user.v1", "api.user.v1", "user.UserService", "api.user.v1.UserService"]) {
    assert.equal((await health.call("Check", { service })).status, "SERVING", service);
  }
  await assert.rejects(health.call("Check", { service: "user.v2" }), { code: status.NOT_FOUND });
});

test("a missing optional order-service is reported, and user-service is ready", { timeout: 180_000 }, async () => {
  const users = await shop.start("user-service", alone);
  const { status: code, text } = await (await pagesOf(users))("/ready");
  assert.equal(code, 200);
  assert.match(JSON.parse(text).warnings[0], /^order-service v1: /);
});

test("counts calls by method and status for Prometheus, and serves nothing else on that port", {
  timeout: 180_000,
}, async () => {
  const service = await shop.start("user-service", alone);
  const users = shop.open("user.v1.UserService", service.address);
  const admin = await shop.tokenOf("admin");
  await users.call("ListUsers", { page_size: 1 }, admin);
  await assert.rejects(users.call("ListUsers", { page_size: 0 }, admin));
  const page = await pagesOf(service);
  const { text } = await page("/metrics");
  const counted = (name: string) =>
    `grpc_server_requests_total{service="user.v1.UserService",method="ListUsers",status="${name}"} 1`;
  for (const name of ["OK", "INVALID_ARGUMENT"]) assert.ok(text.includes(counted(name)), name);
  for (const name of [
    "grpc_server_request_duration_seconds_bucket{",
    "grpc_active_connections 1",
    "process_resident_memory_bytes",
  ]) {
    assert.ok(text.includes(name), name);
  }
  assert.equal((await page("/")).status, 404);
});

test("in production only tokens of the issuer are accepted, and reflection is off", {
  timeout: 180_000,
}, async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "2026", alg: "ES256" }];
  // Creates the schema, which the production profile does not do at the start.
  const before = await shop.start("user-service", alone);
  before.process.signal("SIGTERM");
  await before.process.ended;
  const issuer = await serveHttp(JSON.stringify({ keys }));
  try {
    const { address } = await shop.start(
      "user-service",
      [
        ...alone,
        "service.insecure=true",
        "service.propagation=0",
        `security.jwt.jwks_url=${issuer.url}/keys`,
        "security.jwt.issuer=https://login.example",
      ],
      // All environments except development and test have the production profile.
      { TERCEL_ENV: "staging" },
    );
    const users = shop.open("user.v1.UserService", address);
    const old = shop.open("user.UserService", address);
    const issued = async (role: string, audience = "user-service") => {
      const token = new SignJWT({ roles: [role] }).setProtectedHeader({ alg: "ES256", kid: "2026" });
      const claims = token.setIssuer("https://login.example").setAudience(audience).setSubject("ops");
      return { authorization: `Bearer ${await claims.setExpirationTime("5m").sign(privateKey)}` };
    };
    const admin = await issued("admin");
    await users.call("CreateUser", ada, admin);
    for (const stranger of [await shop.tokenOf("admin"), await issued("admin", "order-service")]) {
      await assert.rejects(users.call("ListUsers", { page_size: 1 }, stranger), { code: status.UNAUTHENTICATED });
    }
    // The older package cannot distinguish users, so only admins may call it.
    assert.equal((await old.call("ListUsers", {}, admin)).total, 1);
    await assert.rejects(old.call("ListUsers", {}), { code: status.UNAUTHENTICATED });
    await assert.rejects(old.call("ListUsers", {}, await issued("user")), { code: status.PERMISSION_DENIED });
    const reflection = shop.open("grpc.reflection.v1.ServerReflection", address);
    await assert.rejects(reflection.stream("ServerReflectionInfo", {}, admin).toArray(), {
      code: status.UNIMPLEMENTED,
    });
    await shop.open("grpc.health.v1.Health", address).call("Check", {});
  } finally {
    issuer.close();
  }
});

test("a trace includes all four services and the event, and is sent to the collector", {
  timeout: 180_000,
}, async () => {
  const collector = await serveHttp("{}");
  try {
    const traced = [`monitoring.providers.otlp.endpoint=${collector.url}/v1/traces`];
    const started = await Promise.all(serviceNames.map((name) => shop.start(name, traced)));
    const [users, orders, payments, notifications] = started;
    if (!users || !orders || !payments || !notifications) assert.fail();
    const admin = await shop.tokenOf("admin");
    await shop.open("user.v1.UserService", users.address).call("CreateUser", ada, admin);
    const call = (method: string) => ({ message: "call ended", method });
    const outer = await users.process.record(call("user.v1.UserService/CreateUser"));
    const inner = await orders.process.record(call("shop.order.v1.OrderService/CreateOrder"));
    const charge = await payments.process.record(call("shop.payment.v1.PaymentService/Charge"));
    assert.match(String(outer.traceId), /^[0-9a-f]{32}$/);
    assert.deepEqual([inner.traceId, charge.traceId], [outer.traceId, outer.traceId]);
    assert.deepEqual([inner.requestId, charge.requestId], [outer.requestId, outer.requestId]);
    const inbox = new Inbox(notifications.address, admin);
    await inbox.until(3).finally(() => inbox.close());
    for (const { process } of [users, orders, payments, notifications]) {
      process.signal("SIGTERM");
      assert.equal(await process.ended, 0);
    }
    // Spans are sent as protobuf: names as text, ids as bytes.
    const sent = Buffer.concat(collector.bodies);
    const spans = [
      "user.v1.UserService/CreateUser",
      "shop.order.v1.OrderService/CreateOrder",
      "Attempt.shop.order.v1.OrderService.CreateOrder",
      "shop.payment.v1.PaymentService/Charge",
      "process shop.events.v1.PaymentSettled",
    ];
    const names = ["user-service", "order-service", "payment-service", "notification-service"];
    for (const text of [...names, ...spans]) assert.ok(sent.includes(text), text);
    assert.ok(sent.includes(Buffer.from(String(outer.traceId), "hex")));
  } finally {
    collector.close();
  }
});

test("if the port of the metrics is in use, the error names it and says how to choose another", {
  timeout: 180_000,
}, async () => {
  const taken = await serveHttp("");
  try {
    const { port } = new URL(taken.url);
    await assert.rejects(
      shop.start("user-service", [...alone, `monitoring.providers.prometheus.endpoint=127.0.0.1:${port}`]),
      /port \d+ of 127\.0\.0\.1 is in use by another program; change monitoring\.providers\.prometheus\.endpoint/,
    );
  } finally {
    taken.close();
  }
});

test("the limits in common guides can be configured and apply", { timeout: 180_000 }, async () => {
  const grpc = {
    max_concurrent_streams: "1000",
    max_recv_msg_size: "10485760",
    max_send_msg_size: "10485760",
    max_connection_idle: "15s",
    max_connection_age: "30s",
    max_connection_age_grace: "5s",
    initial_window_size: "65536",
    initial_conn_window_size: "65536",
    "keepalive.time": "5s",
    "keepalive.timeout": "1s",
    "keepalive.min_time": "5s",
    "keepalive.permit_without_stream": "true",
  };
  const set = Object.entries(grpc).map(([key, value]) => `communication.providers.grpc.${key}=${value}`);
  const { address } = await shop.start("user-service", [...alone, ...set]);
  const session = connect(`http://${address}`);
  const [settings] = await once(session, "remoteSettings");
  session.close();
  assert.deepEqual([settings.maxConcurrentStreams, settings.initialWindowSize], [1000, 65_536]);
  const users = shop.open("api.user.v1.UserService", address);
  const admin = await shop.tokenOf("admin");
  const create = (mebibytes: number) => {
    const metadata = { text: "x".repeat(mebibytes * 1024 * 1024) };
    return users.call("CreateUser", { user: { email: "ada@example.org", display_name: "Ada", metadata } }, admin);
  };
  // Whether the service accepts such a request does not matter here.
  await assert.rejects(create(9), { code: status.INVALID_ARGUMENT });
  await assert.rejects(create(11), { code: status.RESOURCE_EXHAUSTED });
});
