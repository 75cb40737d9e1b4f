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
  type IdempotencyStore,
  postgresIdempotencySchema,
} from "./index.ts";

/** A store, and how time passes for it. */
interface Tried {
  readonly store: IdempotencyStore;
  /** A second store over the same data, as another process would have. */
  readonly other: IdempotencyStore;
  elapse(ms: number): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const leaseMs = 1_000_000;
const ttlMs = 5_000_000;

/** What every store promises. Each test has keys of its own. */
function describeContract(tried: () => Tried): void {
  it("gives a key to the first caller, and says to the next that it is taken, and for what", async () => {
    const { store, other } = tried();
    assert.deepEqual(await store.begin("a", "print", "me", leaseMs), { state: "begun" });
    for (const one of [store, other]) {
      assert.deepEqual(await one.begin("a", "another print", "you", leaseMs), {
        state: "running",
        fingerprint: "print",
      });
    }
  });

  it("gives a key to one of many who ask at once", async () => {
    const { store, other } = tried();
    const asked = Array.from({ length: 20 }, (_, at) =>
      (at % 2 === 0 ? store : other).begin("b", "print", `owner ${at}`, leaseMs),
    );
    const states = (await Promise.all(asked)).map(({ state }) => state);
    assert.equal(states.filter((state) => state === "begun").length, 1);
    assert.equal(states.filter((state) => state === "running").length, 19);
  });

  it("keeps the response, byte by byte, to the end of its time and no longer", async () => {
    const { store, other, elapse } = tried();
    const response = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await store.begin("c", "print", "me", leaseMs);
    assert.equal(await store.complete("c", "me", response, ttlMs), true);
    await elapse(ttlMs - 60_000);
    const begun = await other.begin("c", "print", "you", leaseMs);
    assert.ok(begun.state === "done");
    assert.equal(begun.fingerprint, "print");
    assert.deepEqual(new Uint8Array(begun.response), response);
    await elapse(60_001);
    assert.deepEqual(await other.begin("c", "print", "you", leaseMs), { state: "begun" });
  });

  it("holds a key for the time of the lease, and gives it away after that", async () => {
    const { store, other, elapse } = tried();
    await store.begin("e", "print", "me", leaseMs);
    await elapse(leaseMs - 60_000);
    assert.equal((await other.begin("e", "print", "you", leaseMs)).state, "running");
    await elapse(60_001);
    assert.equal((await other.begin("e", "second print", "you", leaseMs)).state, "begun");
    assert.equal(await store.complete("e", "me", bytes("late"), ttlMs), false);
    assert.equal(await store.renew("e", "me", leaseMs), false);
    await store.release("e", "me");
    assert.deepEqual(await store.begin("e", "print", "me", leaseMs), { state: "running", fingerprint: "second print" });
  });

  it("prolongs a lease for its owner", async () => {
    const { store, other, elapse } = tried();
    await store.begin("f", "print", "me", leaseMs);
    await elapse(leaseMs - 60_000);
    assert.equal(await store.renew("f", "me", leaseMs), true);
    assert.equal(await store.renew("f", "you", leaseMs), false);
    await elapse(leaseMs - 60_000);
    assert.equal((await other.begin("f", "print", "you", leaseMs)).state, "running");
  });

  it("gives a released key to the next, and only its owner releases it", async () => {
    const { store, other } = tried();
    await store.begin("g", "print", "me", leaseMs);
    await other.release("g", "you");
    assert.equal((await other.begin("g", "print", "you", leaseMs)).state, "running");
    await store.release("g", "me");
    assert.equal((await other.begin("g", "another print", "you", leaseMs)).state, "begun");
  });

  it("does not let go of a response by what its owner does after", async () => {
    const { store } = tried();
    await store.begin("h", "print", "me", leaseMs);
    await store.complete("h", "me", bytes("first"), ttlMs);
    assert.equal(await store.complete("h", "me", bytes("second"), ttlMs), false);
    assert.equal(await store.renew("h", "me", 1), false);
    await store.release("h", "me");
    const begun = await store.begin("h", "print", "you", leaseMs);
    assert.equal(begun.state === "done" && new TextDecoder().decode(begun.response), "first");
  });
}

describe("idempotency store in memory", () => {
  const clock = createFakeClock();
  const store = createMemoryIdempotencyStore({ clock });
  describeContract(() => ({ store, other: store, elapse: (ms) => clock.advance(ms) }));

  it("forgets the oldest response at its bound of keys, and refuses when all of them run", async () => {
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

  it("forgets the oldest responses at its bound of bytes", async () => {
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
  describeContract(() => ({
    store,
    other,
    async elapse(ms) {
      nowMs += ms;
    },
  }));

  it("still knows its responses when it is opened again", async () => {
    const file = join(folder, "reopened.db");
    const first = createSqliteIdempotencyStore({ path: file });
    await first.begin("a", "print", "me", leaseMs);
    await first.complete("a", "me", bytes("kept"), ttlMs);
    first.close();
    const second = createSqliteIdempotencyStore({ path: file });
    assert.equal((await second.begin("a", "print", "you", leaseMs)).state, "done");
    second.close();
  });

  it("refuses a file that is not a database by its path, and leaves it alone", () => {
    const file = join(folder, "notes.txt");
    writeFileSync(file, "not a database, but somebody's notes");
    assert.throws(() => createSqliteIdempotencyStore({ path: file }), {
      message: `createSqliteIdempotencyStore: cannot open ${file}: file is not a database`,
    });
    assert.equal(readFileSync(file, "utf8"), "not a database, but somebody's notes");
  });

  it("refuses a table that is not a plain name", () => {
    assert.throws(() => createSqliteIdempotencyStore({ path, table: "keys; drop table keys" }), /lower-case name/);
  });
});

describe("idempotency store in PostgreSQL", {
  skip: withoutPostgres,
  timeout: 120_000,
}, () => {
  let server: PostgresServer;
  let pool: pg.Pool;
  let tried: Tried;
  before(async () => {
    server = await createPostgresServer();
    await server.start();
    pool = new pg.Pool({ host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres" });
    // The server is stopped right behind the last word of its clients, and may tell them so.
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
  describeContract(() => tried);

  it("takes a table of a migration, in a schema of its own", async () => {
    await pool.query("CREATE SCHEMA shop");
    await pool.query(postgresIdempotencySchema("shop.keys"));
    const store = createPostgresIdempotencyStore({ pool, table: "shop.keys", createTable: false });
    assert.equal((await store.begin("a", "print", "me", leaseMs)).state, "begun");
  });

  it("removes keys whose time is over", async () => {
    const table = "short_lived";
    const first = createPostgresIdempotencyStore({ pool, table });
    await first.begin("a", "print", "me", leaseMs);
    await pool.query(`UPDATE ${table} SET expires_at = now() - interval '1 second'`);
    // A store purges with its first call.
    await createPostgresIdempotencyStore({ pool, table }).begin("b", "print", "me", leaseMs);
    assert.deepEqual((await pool.query(`SELECT key FROM ${table}`)).rows, [{ key: "b" }]);
  });
});

for (const { name, connect } of redisPackages) {
  describe(`idempotency store in Redis, with a client of ${name}`, { skip: withoutRedis, timeout: 120_000 }, () => {
    let server: RedisServer;
    let connected: ConnectedRedis;
    let tried: Tried;
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
    describeContract(() => tried);

    it("leaves no key that never expires", async () => {
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
