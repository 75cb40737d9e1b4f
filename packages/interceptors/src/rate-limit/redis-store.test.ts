import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { Redis } from "ioredis";
import { openInMemory, recordingLog } from "../../test/support/open-echo.ts";
import { createRateLimit, createRedisStore } from "./index.ts";

const limit = { requests: 2, per: "hour" } as const;

/** Unlike `once` of node:events it does not mind errors before. */
function event(client: Redis, name: "close" | "ready"): Promise<void> {
  return new Promise((resolve) => client.once(name, () => resolve()));
}

async function openRedis(t: TestContext) {
  const server = await createRedisServer();
  const clients: Redis[] = [];
  t.after(async () => {
    // Before the server: a client that leaves a server which is gone waits two seconds for its answer.
    for (const client of clients) {
      const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
      client.disconnect();
      await ended;
    }
    await server.dispose();
  });
  await server.start();
  async function connect(): Promise<Redis> {
    const client = new Redis(server.port, { retryStrategy: () => 10 });
    // What a lost connection throws at no one in particular.
    client.on("error", () => {});
    clients.push(client);
    await event(client, "ready");
    return client;
  }
  return { server, connect };
}

describe("createRedisStore", { skip: withoutRedis }, () => {
  it("keeps one count for all instances of a service", async (t) => {
    const { connect } = await openRedis(t);
    const handlers = { unary: () => ({}) };
    const open = async () => {
      const store = createRedisStore({ client: await connect() });
      return openInMemory(t, handlers, { server: { interceptors: [createRateLimit({ limit, store })] } });
    };
    const [one, two] = await Promise.all([open(), open()]);
    await one.client.unary({});
    await two.client.unary({});
    const error = await assertStatus(one.client.unary({}), Code.ResourceExhausted);
    const retryAfterMs = readRetryAfterMs(error) ?? 0;
    assert.ok(retryAfterMs > 3_000_000 && retryAfterMs <= 3_600_000, String(retryAfterMs));
    await assertStatus(two.client.unary({}), Code.ResourceExhausted);
  });

  it("lets what it stores expire, under its prefix", async (t) => {
    const { connect } = await openRedis(t);
    const client = await connect();
    await createRedisStore({ client, keyPrefix: "mine" }).take("ada", { requests: 1, per: "minute" });
    assert.deepEqual(await client.keys("*"), ["mine:ada"]);
    const ttl = await client.ttl("mine:ada");
    assert.ok(ttl > 0 && ttl <= 60, String(ttl));
  });

  it("counts calls that come at once, none of them twice", async (t) => {
    const { connect } = await openRedis(t);
    const store = createRedisStore({ client: await connect() });
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, () => store.take("ada", { requests: 20, per: "hour" })),
    );
    assert.equal(verdicts.filter(({ isAllowed }) => isAllowed).length, 20);
  });

  it("fails at once while Redis is down, and counts on when it is back", async (t) => {
    const { server, connect } = await openRedis(t);
    const client = await connect();
    const { log, logged } = recordingLog();
    const interceptors = [createRateLimit({ limit, store: createRedisStore({ client }), log })];
    const echo = await openInMemory(t, { unary: () => ({}) }, { server: { interceptors } });
    await echo.client.unary({});
    const lost = event(client, "close");
    await server.kill();
    await lost;
    for (let at = 0; at < 3; at++) await echo.client.unary({});
    assert.deepEqual(
      logged.map(({ level }) => level),
      ["error"],
    );
    const back = event(client, "ready");
    await server.start();
    await back;
    await echo.client.unary({});
    await echo.client.unary({});
    await assertStatus(echo.client.unary({}), Code.ResourceExhausted);
    assert.deepEqual(
      logged.map(({ level }) => level),
      ["error", "warn"],
    );
  });
});

it("refuses another kind of client", () => {
  assert.throws(() => createRedisStore({ client: {} }), /has to be one of ioredis/);
  assert.throws(() => createRedisStore({ client: {}, prefix: "x" } as never), /unknown option "prefix"/);
});
