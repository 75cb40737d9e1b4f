import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { systemClock } from "@tercel/grpc";
import { openPostgres, sql } from "@tercel/service/database";
import {
  createNatsServer,
  createPostgresServer,
  createRedisServer,
  createServerProcess,
  findProgram,
  freePorts,
  type ServerProcess,
  withoutNats,
  withoutPostgres,
  withoutRedis,
} from "@tercel/test-support/servers";
import { type ServiceName, serviceNames } from "../src/supervisor/development-secret.ts";
import type { LooseMessage } from "./grpc-client.ts";
import { createShopUnderTest, pagesOf, type ShopUnderTest, type StartedService, silentLog } from "./shop-under-test.ts";

const consul = findProgram("consul");
const skip =
  withoutPostgres ||
  withoutRedis ||
  withoutNats ||
  (consul === undefined && "Consul is not installed; .ci/run builds it");

/** A development agent: one server, nothing stored. */
async function createConsulServer(): Promise<ServerProcess & { readonly port: number }> {
  const [port = 0, dns, server, serfLan, serfWan, grpc] = await freePorts(6);
  const ports = { http: port, dns, server, serf_lan: serfLan, serf_wan: serfWan, grpc, grpc_tls: -1, https: -1 };
  const started = createServerProcess(() => ({
    program: consul ?? "consul",
    args: ["agent", "-dev", "-bind=127.0.0.1", "-client=127.0.0.1", `-hcl=${JSON.stringify({ ports })}`],
    readyTexts: ["Synced node info"],
  }));
  return { ...started, port };
}

describe("the shop on PostgreSQL, Redis, NATS and Consul", { skip, timeout: 240_000 }, () => {
  const servers: ServerProcess[] = [];
  let shop: ShopUnderTest;
  let variables: Record<string, string>;
  let running: Map<ServiceName, StartedService>;
  before(async () => {
    const [postgres, redis, nats, agent] = await Promise.all([
      createPostgresServer(),
      createRedisServer(),
      createNatsServer(),
      createConsulServer(),
    ]);
    servers.push(postgres, redis, nats, agent);
    await Promise.all(servers.map((server) => server.start()));
    const url = `postgres://postgres@127.0.0.1:${postgres.port}`;
    const db = await openPostgres({ url: `${url}/postgres` }, { name: "admin", clock: systemClock, log: silentLog });
    for (const name of ["users", "orders", "payments", "notifications"]) await db.run(sql([`CREATE DATABASE ${name}`]));
    await db.close();
    variables = {
      POSTGRES_URL: url,
      REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      NATS_URL: `nats://127.0.0.1:${nats.port}`,
      CONSUL_ADDRESS: `127.0.0.1:${agent.port}`,
    };
    shop = await createShopUnderTest();
    running = new Map();
    for (const name of serviceNames.toReversed()) running.set(name, await start(name));
  });
  after(async () => {
    await shop?.end();
    await Promise.all(servers.map((server) => server.dispose()));
  });

  /** The same configuration as in production.yaml of the guide, apart from what belongs to production. */
  function start(name: ServiceName): Promise<StartedService> {
    const switched = [
      ["database", "sqlite", "postgres"],
      ["events", "embedded", "nats"],
      ["discovery", "embedded", "consul"],
      ...(name === "user-service" ? [["cache", "memory", "redis"]] : []),
    ];
    const set = switched.flatMap(([concern, from, to]) => [
      `${concern}.providers.${from}.enabled=false`,
      `${concern}.providers.${to}.enabled=true`,
    ]);
    return shop.start(name, [...set, "discovery.providers.consul.health_check.interval=1s"], variables);
  }

  const service = (name: ServiceName) => running.get(name) ?? assert.fail(`${name} does not run`);

  test("a new user has a first order that is paid for, and is notified of all of it", async () => {
    const admin = await shop.tokenOf("admin");
    const users = shop.open("api.user.v1.UserService", service("user-service").address);
    const user = await users.call(
      "CreateUser",
      { user: { email: "ada@example.org", display_name: "Ada Noel" } },
      admin,
    );
    const inbox = shop.open("shop.notification.v1.NotificationService", service("notification-service").address);
    let found: LooseMessage[] = [];
    while (found.length < 3) {
      found = (await inbox.call("ListNotifications", { user_id: user.user_id }, admin)).notifications;
    }
    assert.deepEqual(found.map(({ kind }) => kind).sort(), ["order.placed", "payment.settled", "user.created"]);
    const orders = shop.open("shop.order.v1.OrderService", service("order-service").address);
    const [order, ...more] = (await orders.call("ListOrders", { user_id: user.user_id }, admin)).orders;
    assert.deepEqual([order.state, more], ["STATE_PLACED", []]);
  });

  test("lists, searches and streams of users are the same as on SQLite", async () => {
    const admin = await shop.tokenOf("admin");
    const { address } = service("user-service");
    const users = shop.open("user.v1.UserService", address);
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
    const old = shop.open("user.UserService", address);
    assert.equal((await old.call("ListUsers", { filter: "HOPPER" })).total, 3);
    assert.equal((await old.stream("StreamUsers", { filter: "%" }).toArray()).length, 0);
    const taken = users.call("CreateUser", { ...person, email: "A@LIST.org" }, admin);
    await assert.rejects(taken, /email: another user has this address/);
    const [id = ""] = ids;
    const changed = await users.call("UpdateUser", { id, first_name: "Brewster" }, admin);
    assert.deepEqual(await users.call("GetUser", { id }, admin), changed);
    const stolen = users.call("UpdateUser", { id, email: "B@list.org" }, admin);
    await assert.rejects(stolen, /email: another user has this address/);
  });

  test("two instances share a cache, and a change by one is seen by both", async () => {
    const admin = await shop.tokenOf("admin");
    const other = await start("user-service");
    const [here, there] = [service("user-service"), other].map(({ address }) =>
      shop.open("user.v1.UserService", address),
    );
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

  test("a stream of one instance has what another has changed", async () => {
    const admin = await shop.tokenOf("admin");
    const other = await start("user-service");
    const stream = shop.open("user.v1.UserService", other.address).stream("StreamUserUpdates", {}, admin);
    stream.on("error", () => {});
    const first = stream[Symbol.asyncIterator]().next();
    let isOpen = false;
    void first.then(() => {
      isOpen = true;
    });
    const users = shop.open("user.UserService", service("user-service").address);
    for (let nth = 0; !isOpen; nth++)
      await users.call("CreateUser", { name: "Ada", email: `stream${nth}@example.org` });
    assert.equal(((await first).value as LooseMessage).type, "UPDATE_TYPE_CREATED");
    stream.cancel();
  });
});
