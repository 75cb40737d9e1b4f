import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { openInMemory, recordingLog } from "../../test/support/open-echo.ts";
import { type ConnectedRedis, lifetimesMs, redisPackages } from "../../test/support/redis-clients.ts";
import { redisCommands } from "../call/redis-client.ts";
import { createRateLimit, createRedisStore } from "./index.ts";

const limit = { requests: 2, per: "hour" } as const;

for (const { name, connect: connectTo } of redisPackages) {
  describe(`createRedisStore with a client of ${name}`, { skip: withoutRedis }, () => {
    async function openRedis(t: TestContext) {
      const server = await createRedisServer();
      const clients: ConnectedRedis[] = [];
      t.after(async () => {
        // Before the server stops, because a client waits two seconds for the response of a server that is gone.
        for (const client of clients) await client.close();
        await server.dispose();
      });
      await server.start();
      async function connect(): Promise<ConnectedRedis> {
        const connected = await connectTo(server.port);
        clients.push(connected);
        return connected;
      }
      return { server, connect };
    }

    it("has one count for all instances of a service", async (t) => {
      const { connect } = await openRedis(t);
      const handlers = { unary: () => ({}) };
      const open = async () => {
        const store = createRedisStore({ client: (await connect()).client });
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

    it("lets its keys expire, and has its prefix in them", async (t) => {
      const { connect } = await openRedis(t);
      const { client } = await connect();
      await createRedisStore({ client, keyPrefix: "mine" }).take("ada", { requests: 1, per: "minute" });
      const lifetimes = await lifetimesMs(client);
      assert.deepEqual([...lifetimes.keys()], ["mine:ada"]);
      const leftMs = lifetimes.get("mine:ada") ?? 0;
      assert.ok(leftMs > 0 && leftMs <= 60_000, String(leftMs));
    });

    it("sets an expiry for a key without one", async (t) => {
      const { connect } = await openRedis(t);
      const { client } = await connect();
      await redisCommands(client).send(["SET", "mine:ada", "1"]);
      const verdict = await createRedisStore({ client, keyPrefix: "mine" }).take("ada", { requests: 2, per: "second" });
      assert.deepEqual(verdict, { isAllowed: true, retryAfterMs: 1000 });
      assert.ok(((await lifetimesMs(client)).get("mine:ada") ?? 0) > 0);
    });

    it("counts concurrent calls exactly once", async (t) => {
      const { connect } = await openRedis(t);
      const store = createRedisStore({ client: (await connect()).client });
      const verdicts = await Promise.all(
        Array.from({ length: 50 }, () => store.take("ada", { requests: 20, per: "hour" })),
      );
      assert.equal(verdicts.filter(({ isAllowed }) => isAllowed).length, 20);
    });

    it("fails at once while Redis is down, and counts again when it is back", async (t) => {
      const { server, connect } = await openRedis(t);
      const { client, lost, ready } = await connect();
      const { log, logged } = recordingLog();
      const interceptors = [createRateLimit({ limit, store: createRedisStore({ client }), log })];
      const echo = await openInMemory(t, { unary: () => ({}) }, { server: { interceptors } });
      await echo.client.unary({});
      const isLost = lost();
      await server.kill();
      await isLost;
      for (let at = 0; at < 3; at++) await echo.client.unary({});
      assert.deepEqual(
        logged.map(({ level }) => level),
        ["error"],
      );
      const isBack = ready();
      await server.start();
      await isBack;
      await echo.client.unary({});
      await echo.client.unary({});
      await assertStatus(echo.client.unary({}), Code.ResourceExhausted);
      assert.deepEqual(
        logged.map(({ level }) => level),
        ["error", "warn"],
      );
    });
  });
}

it("rejects an unsupported client", () => {
  assert.throws(
    () => createRedisStore({ client: {} as never }),
    /client is an object; expected a client of ioredis or of redis/,
  );
  assert.throws(() => createRedisStore({ client: {}, prefix: "x" } as never), /unknown option "prefix"/);
});
