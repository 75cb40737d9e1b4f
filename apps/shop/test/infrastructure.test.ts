// Long: it starts the whole shop with PostgreSQL, Redis, NATS and Consul.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "@tercel/grpc";
import { openPostgres, sql } from "@tercel/service/database";
import { type Authority, createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import {
  createNatsServer,
  createPostgresServer,
  createRedisServer,
  createServerProcess,
  findProgram,
  freePorts,
  type NatsServer,
  type PostgresServer,
  type ServerProcess,
  withoutNats,
  withoutPostgres,
  withoutRedis,
} from "@tercel/test-support/servers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type ServiceName, serviceNames } from "./development-secret.ts";
import type { LooseMessage } from "./grpc-client.ts";
import { Inbox } from "./inbox.ts";
import { endShopProcess, type ShopProcess, startServiceProcess } from "./shop-process.ts";
import {
  configArguments,
  createShopUnderTest,
  pagesOf,
  type ShopUnderTest,
  type StartedService,
  silentLog,
} from "./shop-under-test.ts";

const consul = findProgram("consul");
const skip =
  withoutPostgres ||
  withoutRedis ||
  withoutNats ||
  withoutOpenssl ||
  (consul === undefined && "Consul is not installed; .ci/run builds it");

interface ConsulServer extends ServerProcess {
  readonly port: number;
}

/** Starts a development agent of Consul: one server, without storage. */
async function createConsulServer(): Promise<ConsulServer> {
  const [port = 0, dns, server, serfLan, serfWan, grpc] = await freePorts(6);
  const ports = { http: port, dns, server, serf_lan: serfLan, serf_wan: serfWan, grpc, grpc_tls: -1, https: -1 };
  const started = createServerProcess(() => ({
    program: consul ?? "consul",
    args: ["agent", "-dev", "-bind=127.0.0.1", "-client=127.0.0.1", `-hcl=${JSON.stringify({ ports })}`],
    readyTexts: ["Synced node info"],
  }));
  return { ...started, port };
}

/** A token issuer, which publishes its key and signs tokens of an admin. */
interface Issuer {
  readonly url: string;
  adminHeaders(): Promise<Record<string, string>>;
  close(): void;
}

async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = [{ ...(await exportJWK(publicKey)), kid: "2026", alg: "ES256" }];
  const server = createHttpServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    async adminHeaders() {
      const token = new SignJWT({ roles: ["admin"] }).setProtectedHeader({ alg: "ES256", kid: "2026" });
      const claims = token
        .setIssuer("https://login.example")
        .setAudience([...serviceNames])
        .setSubject("ops");
      return { authorization: `Bearer ${await claims.setExpirationTime("5m").sign(privateKey)}` };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const kinds = ["order.placed", "payment.settled", "user.created"];

/** The setup of docs/guides/production-service.md: the production profile, TLS, a token issuer, and nothing hosted by `npm start`. */
describe("the shop in production, on PostgreSQL, Redis, NATS and Consul", { skip, timeout: 280_000 }, () => {
  const serviceKeys = Object.fromEntries(
    serviceNames.map((name) => [name, randomBytes(32).toString("hex")]),
  ) as Readonly<Record<ServiceName, string>>;
  let postgres: PostgresServer;
  let nats: NatsServer;
  let agent: ConsulServer;
  const servers: ServerProcess[] = [];
  const processes: ShopProcess[] = [];
  let shop: ShopUnderTest;
  let authority: Authority;
  let issuer: Issuer;
  let variables: Record<string, string>;
  let running: Map<ServiceName, StartedService>;
  before(async () => {
    const redis = await createRedisServer();
    postgres = await createPostgresServer();
    nats = await createNatsServer();
    agent = await createConsulServer();
    servers.push(postgres, redis, nats, agent);
    await Promise.all(servers.map((server) => server.start()));
    const url = `postgres://postgres@127.0.0.1:${postgres.port}`;
    const db = await openPostgres({ url: `${url}/postgres` }, { name: "admin", clock: systemClock, log: silentLog });
    for (const name of ["users", "orders", "payments", "notifications"]) await db.run(sql([`CREATE DATABASE ${name}`]));
    await db.close();
    shop = await createShopUnderTest();
    authority = createAuthority();
    issuer = await startIssuer();
    const keys = serviceNames.map((name) => `${name} ${serviceKeys[name]}\n`).join("");
    variables = {
      TERCEL_ENV: "production",
      POSTGRES_URL: url,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      NATS_URL: `nats://127.0.0.1:${nats.port}`,
      CONSUL_ADDRESS: `127.0.0.1:${agent.port}`,
      // No collector, so only traces are lost.
      OTLP_ENDPOINT: "http://127.0.0.1:1",
      TLS_ENABLED: "true",
      TLS_CA_FILE: shop.write("ca.pem", authority.cert.toString()),
      SERVICE_SECRET: "s".repeat(32),
      SERVICE_KEYS_FILE: shop.write("keys", keys),
      TOKEN_ISSUER: "https://login.example",
      TOKEN_KEYS_URL: issuer.url,
    };
    running = new Map();
    for (const name of serviceNames.toReversed()) {
      const { key, cert } = authority.issue({ names: [`DNS:${name}`, "IP:127.0.0.1"] });
      shop.write(`${name}.pem`, cert.toString());
      shop.write(`${name}.key`, key.toString());
      const migrating = startServiceProcess(name, [...configArguments(name, []), "--migrate"], variablesOf(name));
      assert.equal(await migrating.ended, 0, migrating.text());
      running.set(name, await start(name));
    }
  });
  after(async () => {
    await Promise.all(processes.splice(0).map(endShopProcess));
    issuer?.close();
    authority?.dispose();
    await shop?.end();
    await Promise.all(servers.map((server) => server.dispose()));
  });

  function variablesOf(name: ServiceName): Record<string, string> {
    const file = (extension: string) => join(shop.dataDir, "..", `${name}.${extension}`);
    return {
      ...variables,
      TLS_CERT_FILE: file("pem"),
      TLS_KEY_FILE: file("key"),
      SERVICE_KEY: serviceKeys[name],
    };
  }

  /** Only the settings that let several run on this machine, and the test end soon. */
  async function start(name: ServiceName): Promise<StartedService> {
    const here = [
      "service.host=127.0.0.1",
      "service.propagation=0",
      "discovery.providers.consul.health_check.interval=1s",
    ];
    const process = startServiceProcess(name, configArguments(name, here), variablesOf(name));
    processes.push(process);
    return { process, address: (await process.record({ message: "ready" })).address as string };
  }

  const open = (name: Parameters<ShopUnderTest["open"]>[0], address: string) =>
    shop.open(name, address, authority.cert);
  const service = (name: ServiceName) => running.get(name) ?? assert.fail(`${name} does not run`);

  /** Creates a user, who must be notified of the account, a first order and its payment. */
  async function createUser(email: string): Promise<string> {
    const users = open("api.user.v1.UserService", service("user-service").address);
    const user = { email, display_name: "Ada Noel" };
    return (await users.call("CreateUser", { user }, await issuer.adminHeaders())).user_id;
  }

  async function notified(userId: string): Promise<string[]> {
    const inbox = new Inbox(service("notification-service").address, await issuer.adminHeaders(), authority.cert);
    return inbox.kinds(userId).finally(() => inbox.close());
  }

  /** Yields the health statuses of a service as they change. */
  function healthOf(name: ServiceName): AsyncIterator<LooseMessage> {
    const watch = open("grpc.health.v1.Health", service(name).address).stream("Watch", {}, {}, 120_000);
    watch.on("error", () => {});
    return watch[Symbol.asyncIterator]();
  }

  test("a new user gets a paid first order, and is notified of everything", async () => {
    const user_id = await createUser("ada@example.org");
    assert.deepEqual(await notified(user_id), kinds);
    const orders = open("shop.order.v1.OrderService", service("order-service").address);
    const [order, ...more] = (await orders.call("ListOrders", { user_id }, await issuer.adminHeaders())).orders;
    assert.deepEqual([order.state, more], ["STATE_PLACED", []]);
  });

  test("lists, searches and streams of users are the same as on SQLite", async () => {
    const admin = await issuer.adminHeaders();
    const { address } = service("user-service");
    const users = open("user.v1.UserService", address);
    const person = { first_name: "Grace", last_name: "Hopper", password: "correct horse" };
    const ids: string[] = [];
    for (const name of ["a", "b", "c"]) {
      ids.push((await users.call("CreateUser", { ...person, email: `${name}@list.org` }, admin)).user.id);
    }
    const query = {
      page_size: 2,
      filter: 'last_name = Hopper AND email = "*@list.org" AND created_at > 2020-01-01',
      order_by: "email desc",
    };
    const first = await users.call("ListUsers", query, admin);
    assert.deepEqual(
      first.users.map(({ email }: LooseMessage) => email),
      ["c@list.org", "b@list.org"],
    );
    assert.equal(first.total_count, 3);
    const second = await users.call("ListUsers", { ...query, page_token: first.next_page_token }, admin);
    assert.deepEqual(
      second.users.map(({ email }: LooseMessage) => email),
      ["a@list.org"],
    );
    // Only admins may call the oldest package here.
    const old = open("user.UserService", address);
    assert.equal((await old.call("ListUsers", { filter: "HOPPER" }, admin)).total, 3);
    assert.equal((await old.stream("StreamUsers", { filter: "%" }, admin).toArray()).length, 0);
    await assert.rejects(old.call("ListUsers", {}), /UNAUTHENTICATED/);
    const taken = users.call("CreateUser", { ...person, email: "A@LIST.org" }, admin);
    await assert.rejects(taken, /email: another user has this address/);
    const [id = ""] = ids;
    const changed = await users.call("UpdateUser", { id, first_name: "Brewster" }, admin);
    assert.deepEqual(await users.call("GetUser", { id }, admin), changed);
    const stolen = users.call("UpdateUser", { id, email: "B@list.org" }, admin);
    await assert.rejects(stolen, /email: another user has this address/);
  });

  test("two instances share a cache, and both see a change by one", async () => {
    const admin = await issuer.adminHeaders();
    const other = await start("user-service");
    const [here, there] = [service("user-service"), other].map(({ address }) => open("user.v1.UserService", address));
    if (here === undefined || there === undefined) assert.fail();
    const person = { email: "cache@example.org", first_name: "Ada", last_name: "Noel", password: "correct horse" };
    const { user } = await here.call("CreateUser", person, admin);
    const { id } = user;
    assert.deepEqual(await here.call("GetUser", { id }, admin), { user });
    assert.deepEqual(await there.call("GetUser", { id }, admin), { user });
    assert.match(
      (await (await pagesOf(other))("/metrics")).text,
      /cache_lookups_total\{cache="users",outcome="hit"\} 1/,
    );
    const changed = await there.call("UpdateUser", { id, first_name: "Augusta" }, admin);
    assert.deepEqual(await here.call("GetUser", { id }, admin), changed);
    await here.call("DeleteUser", { id }, admin);
    await assert.rejects(there.call("GetUser", { id }, admin), /NOT_FOUND/);
  });

  test("a stream of one instance has the changes of another", async () => {
    const admin = await issuer.adminHeaders();
    const other = await start("user-service");
    const stream = open("user.v1.UserService", other.address).stream("StreamUserUpdates", {}, admin);
    stream.on("error", () => {});
    const first = stream[Symbol.asyncIterator]().next();
    let isOpen = false;
    void first.then(() => {
      isOpen = true;
    });
    const users = open("user.UserService", service("user-service").address);
    for (let nth = 0; !isOpen; nth++)
      await users.call("CreateUser", { name: "Ada", email: `stream${nth}@example.org` }, admin);
    assert.equal(((await first).value as LooseMessage).type, "UPDATE_TYPE_CREATED");
    stream.cancel();
  });

  test("during an outage of PostgreSQL every service is NOT_SERVING, and afterwards they serve again", async () => {
    const watches = serviceNames.map(healthOf);
    const next = async () => (await Promise.all(watches.map((watch) => watch.next()))).map(({ value }) => value.status);
    assert.deepEqual(await next(), Array(4).fill("SERVING"));
    await postgres.kill();
    assert.deepEqual(await next(), Array(4).fill("NOT_SERVING"));
    await assert.rejects(createUser("away@example.org"), /UNAVAILABLE/);
    await postgres.start();
    assert.deepEqual(await next(), Array(4).fill("SERVING"));
    assert.deepEqual(await notified(await createUser("back@example.org")), kinds);
  });

  test("during an outage of NATS users are created, and their events arrive afterwards", async () => {
    await nats.kill();
    const userId = await createUser("nats@example.org");
    await nats.start();
    assert.deepEqual(await notified(userId), kinds);
  });

  test("during an outage of Consul services still find each other, and register again when Consul has lost them", async () => {
    const { process } = service("user-service");
    const placed = () => process.records().filter(({ message }) => message === "welcome order placed").length;
    // After the outage of NATS, Consul may still have services as unhealthy, and user-service would remember that.
    for (const name of serviceNames) await untilPassing(name);
    const earlier = placed();
    await createUser("passing@example.org");
    await process.record({ message: "welcome order placed" }, earlier + 1);
    await agent.kill();
    await assert.rejects(fetch(`http://127.0.0.1:${agent.port}/v1/status/leader`));
    const before = placed();
    await createUser("consul@example.org");
    await process.record({ message: "welcome order placed" }, before + 1);
    await agent.start();
    for (const name of serviceNames) await untilPassing(name);
    await createUser("again@example.org");
    await process.record({ message: "welcome order placed" }, before + 2);
  });

  /** Waits for a change with a blocking query of Consul. */
  async function untilPassing(name: ServiceName): Promise<void> {
    for (let index = "0"; ; ) {
      const url = `http://127.0.0.1:${agent.port}/v1/health/service/${name}?passing=1&wait=60s&index=${index}`;
      const response = await fetch(url);
      if (((await response.json()) as unknown[]).length > 0) return;
      index = response.headers.get("x-consul-index") ?? "0";
    }
  }
});
