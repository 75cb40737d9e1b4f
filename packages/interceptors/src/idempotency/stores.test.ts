import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import {
  createPostgresServer,
  createRedisServer,
  type PostgresServer,
  type RedisServer,
  withoutPostgres,
  withoutRedis,
} from "@tercel/test-support/servers";
import pg from "pg";
import { type ConnectedRedis, lifetimesMs, redisPackages } from "../../test/support/redis-clients.ts";
import { redisCommands } from "../call/redis-client.ts";
import {
  createMemoryIdempotencyStore,
  createPostgresIdempotencyStore,
  createRedisIdempotencyStore,
  createSqliteIdempotencyStore,
  postgresIdempotencySchema,
} from "./index.ts";
import { describeIdempotencyStoreContract, type IdempotencyStoreSubject } from "./store-contract.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const leaseMs = 1_000_000;
const ttlMs = 5_000_000;

describe("idempotency store in memory", () => {
  const clock = createFakeClock();
  const store = createMemoryIdempotencyStore({ clock });
  describeIdempotencyStoreContract("the store in memory", async () => ({
    store,
    other: store,
    elapse: (ms) => clock.advance(ms),
  }));

  it("drops the oldest response at its limit of keys, and rejects a call if all of them run", async () => {
    const bounded = createMemoryIdempotencyStore({ maxKeys: 2, clock });
    for (const key of ["a", "b"]) {
      await bounded.begin(key, "print", "me", leaseMs);
      await bounded.complete(key, "me", bytes(key), ttlMs);
    }
    assert.equal((await bounded.begin("c", "print", "me", leaseMs)).state, "begun");
    assert.equal((await bounded.begin("b", "print", "me", leaseMs)).state, "done");
    assert.equal((await bounded.begin("a", "print", "me", leaseMs)).state, "begun");
    await assertStatus(bounded.begin("d", "print", "me", leaseMs), Code.ResourceExhausted);
    await bounded.release("c", "me");
    assert.equal((await bounded.begin("d", "print", "me", leaseMs)).state, "begun");
  });

  it("drops the oldest responses at its limit of bytes", async () => {
    const bounded = createMemoryIdempotencyStore({ maxBytes: 3000, clock });
    for (const key of ["a", "b", "c"]) {
      await bounded.begin(key, "print", "me", leaseMs);
      await bounded.complete(key, "me", new Uint8Array(1000), ttlMs);
    }
    const states = await Promise.all(["c", "b", "a"].map((key) => bounded.begin(key, "print", "you", leaseMs)));
    assert.deepEqual(
      states.map(({ state }) => state),
      ["done", "done", "begun"],
    );
  });
});

describe("idempotency store in SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-idempotency-"));
  const path = join(folder, "keys.db");
  let nowMs = 1_700_000_000_000;
  const wallClockMs = () => nowMs;
  const store = createSqliteIdempotencyStore({ path, wallClockMs });
  const other = createSqliteIdempotencyStore({ path, wallClockMs });
  after(() => {
    store.close();
    other.close();
    rmSync(folder, { recursive: true });
  });
  describeIdempotencyStoreContract("the store in SQLite", async () => ({
    store,
    other,
    async elapse(ms) {
      nowMs += ms;
    },
  }));

  it("has its responses after it was reopened", async () => {
    const file = join(folder, "reopened.db");
    const first = createSqliteIdempotencyStore({ path: file });
    await first.begin("a", "print", "me", leaseMs);
    await first.complete("a", "me", bytes("kept"), ttlMs);
    first.close();
    const second = createSqliteIdempotencyStore({ path: file });
    assert.equal((await second.begin("a", "print", "you", leaseMs)).state, "done");
    second.close();
  });

  it("rejects a file that is not a database with its path, and does not change it", () => {
    const file = join(folder, "notes.txt");
    writeFileSync(file, "not a database, but somebody's notes");
    assert.throws(() => createSqliteIdempotencyStore({ path: file }), {
      message: `createSqliteIdempotencyStore: cannot open ${file}: file is not a database`,
    });
    assert.equal(readFileSync(file, "utf8"), "not a database, but somebody's notes");
  });

  it("rejects an invalid table name", () => {
    assert.throws(() => createSqliteIdempotencyStore({ path, table: "keys; drop table keys" }), /lower-case name/);
  });
});

describe("idempotency store in PostgreSQL", {
  skip: withoutPostgres,
  timeout: 120_000,
}, () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let tried: IdempotencyStoreSubject;
  before(async () => {
    server = await createPostgresServer();
    await server.start();
    pool = new pg.Pool({ host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres" });
    // The server stops right after its clients have ended, and may report that to them as an error.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    tried = {
      store: createPostgresIdempotencyStore({ pool }),
      other: createPostgresIdempotencyStore({ pool }),
      async elapse(ms) {
        await pool.query(
          "UPDATE idempotency_keys SET expires_at = expires_at - $1::float8 * interval '1 millisecond'",
          [ms],
        );
      },
    };
  });
  after(async () => {
    await pool.end();
    await server.dispose();
  });
  describeIdempotencyStoreContract("the store in PostgreSQL", async () => tried);

  it("uses a table from a migration in a separate schema", async () => {
    await pool.query("CREATE SCHEMA shop");
    await pool.query(postgresIdempotencySchema("shop.keys"));
    const store = createPostgresIdempotencyStore({ pool, table: "shop.keys", createTable: false });
    assert.equal((await store.begin("a", "print", "me", leaseMs)).state, "begun");
  });

  it("removes expired keys", async () => {
    const table = "short_lived";
    const first = createPostgresIdempotencyStore({ pool, table });
    await first.begin("a", "print", "me", leaseMs);
    await pool.query(`UPDATE ${table} SET expires_at = now() - interval '1 second'`);
    // A store purges at its first call.
    await createPostgresIdempotencyStore({ pool, table }).begin("b", "print", "me", leaseMs);
    assert.deepEqual((await pool.query(`SELECT key FROM ${table}`)).rows, [{ key: "b" }]);
  });
});

for (const { name, connect } of redisPackages) {
  describe(`idempotency store in Redis, with a client of ${name}`, { skip: withoutRedis, timeout: 120_000 }, () => {
    let server: RedisServer;
    let connected: ConnectedRedis;
    let tried: IdempotencyStoreSubject;
    before(async () => {
      server = await createRedisServer();
      await server.start();
      connected = await connect(server.port);
      const { client } = connected;
      const { send } = redisCommands(client);
      tried = {
        store: createRedisIdempotencyStore({ client }),
        other: createRedisIdempotencyStore({ client }),
        async elapse(ms) {
          for (const [key, leftMs] of await lifetimesMs(client)) {
            if (leftMs > ms) await send(["PEXPIRE", key, String(leftMs - ms)]);
            else await send(["DEL", key]);
          }
        },
      };
    });
    after(async () => {
      await connected.close();
      await server.dispose();
    });
    describeIdempotencyStoreContract(`the store in Redis, by ${name}`, async () => tried);

    it("sets an expiry for every key", async () => {
      const { client } = connected;
      const store = createRedisIdempotencyStore({ client, prefix: "lasting:" });
      const leftMs = async () => (await lifetimesMs(client)).get("lasting:a") ?? 0;
      await store.begin("a", "print", "me", leaseMs);
      assert.ok((await leftMs()) > 0);
      await store.complete("a", "me", bytes("x"), ttlMs);
      assert.ok((await leftMs()) > leaseMs);
    });
  });
}
