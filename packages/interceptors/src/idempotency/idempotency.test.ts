import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { invalidArgument, readErrorReason, readFieldViolations, readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion } from "@tercel/test-support/async";
import { EchoService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { PaymentService } from "../../test/gen/tercel/interceptors/test/v1/payment_pb.ts";
import { identifying } from "../../test/support/identifying.ts";
import { type EchoHandlers, openInMemory, overBothTransports, recordingLog } from "../../test/support/open-echo.ts";
import {
  createIdempotency,
  createIdempotencyKeys,
  createMemoryIdempotencyStore,
  type IdempotencyOptions,
  type IdempotencyStore,
} from "./index.ts";

const method = "tercel.interceptors.test.v1.EchoService/Unary";

function guarded(options: Partial<IdempotencyOptions> = {}) {
  const store = options.store ?? createMemoryIdempotencyStore();
  return { server: { interceptors: [createIdempotency({ store, ...options })] } };
}

/** A handler that counts its calls, and responds with the count. */
function counting(): EchoHandlers & { readonly calls: number } {
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    unary: ({ text }) => ({ text, count: ++calls }),
  };
}

const keyed = (key: string, more: Record<string, string> = {}) => ({ headers: { "idempotency-key": key, ...more } });

describe("idempotency", () => {
  overBothTransports((open) => {
    it("repeats the first response, with its metadata, for the same request with the same key", async (t) => {
      let calls = 0;
      const { client } = await open(
        t,
        {
          unary(request, context) {
            calls++;
            context.responseHeader.set("x-order", String(calls));
            context.responseTrailer.set("x-cost", "7");
            return { text: request.text, payload: new Uint8Array([0, 255]), count: calls };
          },
        },
        guarded(),
      );
      const seen: unknown[] = [];
      const look = {
        ...keyed("k1"),
        onHeader: (header: Headers) => seen.push(header.get("x-order"), header.get("idempotent-replayed")),
        onTrailer: (trailer: Headers) => seen.push(trailer.get("x-cost")),
      };
      const first = await client.unary({ text: "a" }, look);
      const second = await client.unary({ text: "a" }, look);
      assert.deepEqual(second, first);
      assert.deepEqual(seen, ["1", null, "7", "1", "true", "7"]);
      assert.equal(calls, 1);
    });

    it("repeats a definite error, with its details", async (t) => {
      let calls = 0;
      const { client } = await open(
        t,
        {
          unary() {
            calls++;
            throw invalidArgument({ field: "text", description: "is wrong" });
          },
        },
        guarded(),
      );
      for (const replayed of [null, "true"]) {
        const error = await assertStatus(client.unary({}, keyed("k")), Code.InvalidArgument, "text is wrong");
        assert.deepEqual(
          readFieldViolations(error).map(({ field }) => field),
          ["text"],
        );
        assert.equal(error.metadata.get("idempotent-replayed"), replayed);
      }
      assert.equal(calls, 1);
    });
  });

  it("rejects a different request with the same key, also while the first is running", async (t) => {
    const entered = createOccasion();
    const go = createOccasion();
    const { client } = await openInMemory(
      t,
      {
        async unary(request) {
          entered.happen();
          await go.happened;
          return { text: request.text };
        },
      },
      guarded(),
    );
    const first = client.unary({ text: "a" }, keyed("k"));
    await entered.happened;
    const early = await assertStatus(
      client.unary({ text: "b" }, keyed("k")),
      Code.FailedPrecondition,
      /a different request/,
    );
    assert.equal(readErrorReason(early)?.reason, "IDEMPOTENCY_KEY_REUSED");
    go.happen();
    await first;
    await assertStatus(client.unary({ text: "b" }, keyed("k")), Code.FailedPrecondition, /a different request/);
    assert.equal((await client.unary({ text: "a" }, keyed("k"))).text, "a");
  });

  it("runs concurrent calls with one key once, and responds to all", async (t) => {
    const entered = createOccasion();
    const go = createOccasion();
    let calls = 0;
    const { client } = await openInMemory(
      t,
      {
        async unary() {
          calls++;
          entered.happen();
          await go.happened;
          return { count: calls };
        },
      },
      guarded(),
    );
    const all = Array.from({ length: 10 }, () => client.unary({}, keyed("k")));
    await entered.happened;
    go.happen();
    assert.deepEqual(
      (await Promise.all(all)).map(({ count }) => count),
      Array(10).fill(1),
    );
    assert.equal(calls, 1);
  });

  it("treats keys of different methods and callers as different", async (t) => {
    const handlers = counting();
    const { client } = await openInMemory(t, handlers, guarded());
    const counts: number[] = [];
    for (const options of [
      keyed("k"),
      keyed("l"),
      keyed("k", { authorization: "Bearer a" }),
      keyed("k", { authorization: "Bearer b" }),
      keyed("k", { authorization: "Bearer a" }),
      keyed("k"),
    ]) {
      counts.push((await client.unary({}, options)).count);
    }
    assert.deepEqual(counts, [1, 2, 3, 4, 3, 1]);
  });

  it("treats different workloads, and different users of a workload, as different callers", async (t) => {
    const { interceptors } = guarded().server;
    const { client } = await openInMemory(t, counting(), { server: { interceptors: [identifying, ...interceptors] } });
    const counts: number[] = [];
    const callers: readonly Record<string, string>[] = [
      { "x-name": "orders" },
      { "x-name": "stock" },
      { "x-name": "orders", authorization: "Bearer a" },
      { authorization: "Bearer a" },
      { "x-name": "orders" },
    ];
    for (const headers of callers) counts.push((await client.unary({}, keyed("k", headers))).count);
    assert.deepEqual(counts, [1, 2, 3, 4, 1]);
  });

  it("identifies callers by `callerOf`", async (t) => {
    const handlers = counting();
    const { client } = await openInMemory(
      t,
      handlers,
      guarded({ callerOf: (request) => request.header.get("x-user") ?? undefined }),
    );
    const counts: number[] = [];
    for (const [user, token] of [
      ["u", "Bearer a"],
      ["u", "Bearer b"],
      ["v", "Bearer b"],
    ] as const) {
      counts.push((await client.unary({}, keyed("k", { "x-user": user, authorization: token }))).count);
    }
    assert.deepEqual(counts, [1, 1, 2]);
  });

  it("applies the options in the proto", async (t) => {
    let count = 0;
    const answer = () => ({ count: ++count });
    const transport = createInMemoryTransport({
      routes: (router) => router.service(PaymentService, { marked: answer, required: answer, exempt: answer }),
      serverOptions: guarded({ services: [PaymentService] }).server,
    });
    t.after(() => transport.close({ deadlineMs: 0 }));
    const client = createClient(PaymentService, transport);
    const request = { requestId: "r1", cents: 5 };
    assert.equal((await client.marked(request)).count, 1);
    assert.equal((await client.marked(request)).count, 1);
    await assertStatus(client.marked({ ...request, cents: 6 }), Code.FailedPrecondition, /a different request/);
    const missing = await assertStatus(client.required({ cents: 5 }), Code.InvalidArgument);
    assert.deepEqual(
      readFieldViolations(missing).map(({ field }) => field),
      ["note"],
    );
    assert.equal((await client.required({ note: "n1" })).count, 2);
    assert.equal((await client.required({ note: "n1" })).count, 2);
    assert.equal((await client.exempt(request)).count, 3);
    assert.equal((await client.exempt(request)).count, 4);
  });

  it("runs calls without a key, unless the method requires one", async (t) => {
    const handlers = counting();
    const { client } = await openInMemory(
      t,
      handlers,
      guarded({ methods: { [method]: { required: false } }, required: true }),
    );
    await client.unary({});
    await client.unary({});
    assert.equal(handlers.calls, 2);
    const strict = await openInMemory(t, handlers, guarded({ methods: { [method]: { required: true } } }));
    const error = await assertStatus(strict.client.unary({}), Code.InvalidArgument);
    assert.deepEqual(
      readFieldViolations(error).map(({ field }) => field),
      ["idempotency_key"],
    );
  });

  it("reads the key from the request's field, and rejects a header with a different key", async (t) => {
    const handlers = counting();
    const { client } = await openInMemory(t, handlers, guarded({ methods: { [method]: { field: "text" } } }));
    assert.equal((await client.unary({ text: "k" })).count, 1);
    assert.equal((await client.unary({ text: "k" })).count, 1);
    assert.equal((await client.unary({ text: "k" }, keyed("k"))).count, 1);
    await assertStatus(client.unary({ text: "k" }, keyed("l")), Code.InvalidArgument, /differs from the key/);
    await assertStatus(client.unary({ text: "k", count: 1 }), Code.FailedPrecondition);
    assert.equal((await client.unary({ text: "" }, keyed("m"))).count, 2, "an empty field is none");
  });

  for (const [key, isTaken] of [
    ["k".repeat(255), true],
    ["k".repeat(256), false],
    ["a b", false],
  ] as const) {
    it(`${isTaken ? "accepts" : "rejects"} a key of ${key.length} characters${key.includes(" ") ? " with a blank" : ""}`, async (t) => {
      const { client } = await openInMemory(t, counting(), guarded());
      if (isTaken) assert.equal((await client.unary({}, keyed(key))).count, 1);
      else await assertStatus(client.unary({}, keyed(key)), Code.InvalidArgument, /1 to 255 printable/);
    });
  }

  it("does not change streams, and methods that are exempt or have no side effects", async (t) => {
    let calls = 0;
    const handler = () => ({ count: ++calls });
    const { client, other } = await openInMemory(
      t,
      {
        unary: handler,
        async *serverStream() {
          yield handler();
        },
      },
      { ...guarded({ methods: { [method]: false }, required: true }), other: { unary: handler } },
    );
    for (let round = 0; round < 2; round++) {
      await client.unary({}, keyed("k"));
      await other.unary({}, keyed("k"));
      await collect(client.serverStream({}, keyed("k")));
    }
    assert.equal(calls, 6);
  });

  for (const thrown of [
    new ConnectError("not now", Code.Unavailable),
    new ConnectError("not you", Code.PermissionDenied),
    new TypeError("a bug"),
  ]) {
    it(`runs the next call after ${thrown.message}`, async (t) => {
      let calls = 0;
      const { client } = await openInMemory(
        t,
        {
          unary() {
            if (++calls === 1) throw thrown;
            return { count: calls };
          },
        },
        guarded(),
      );
      await assert.rejects(client.unary({}, keyed("k")));
      assert.equal((await client.unary({}, keyed("k"))).count, 2);
      assert.equal((await client.unary({}, keyed("k"))).count, 2);
    });
  }

  it("runs one of the waiting calls when the first fails", async (t) => {
    const entered = createOccasion();
    const go = createOccasion();
    let calls = 0;
    const { client } = await openInMemory(
      t,
      {
        async unary() {
          if (++calls > 1) return { count: calls };
          entered.happen();
          await go.happened;
          throw new ConnectError("broken", Code.Internal);
        },
      },
      guarded(),
    );
    const first = assertStatus(client.unary({}, keyed("k")), Code.Internal);
    await entered.happened;
    const rest = [client.unary({}, keyed("k")), client.unary({}, keyed("k"))];
    go.happen();
    await first;
    assert.deepEqual(
      (await Promise.all(rest)).map(({ count }) => count),
      [2, 2],
    );
  });

  it("stores the response of a call whose client has disconnected, for its retry", async (t) => {
    const entered = createOccasion();
    const go = createOccasion();
    let calls = 0;
    const { client } = await openInMemory(
      t,
      {
        async unary(_request, context) {
          calls++;
          entered.happen();
          await aborted(context.signal);
          await go.happened;
          return { count: calls };
        },
      },
      guarded(),
    );
    const cancel = new AbortController();
    const first = assertStatus(client.unary({}, { ...keyed("k"), signal: cancel.signal }), Code.Canceled);
    await entered.happened;
    cancel.abort();
    await first;
    const retry = client.unary({}, keyed("k"));
    go.happen();
    assert.equal((await retry).count, 1);
    assert.equal(calls, 1);
  });

  it("waits for the response of another instance", async (t) => {
    const clock = createFakeClock();
    const store = createMemoryIdempotencyStore({ clock });
    const asked = createOccasion();
    let asks = 0;
    const watched: IdempotencyStore = {
      begin: (...args) => {
        if (++asks === 2) asked.happen();
        return store.begin(...args);
      },
      renew: (...args) => store.renew(...args),
      complete: (...args) => store.complete(...args),
      release: (...args) => store.release(...args),
    };
    const entered = createOccasion();
    const go = createOccasion();
    const one = await openInMemory(
      t,
      {
        async unary() {
          entered.happen();
          await go.happened;
          return { text: "one" };
        },
      },
      guarded({ store: watched, clock }),
    );
    const two = await openInMemory(t, { unary: () => ({ text: "two" }) }, guarded({ store: watched, clock }));
    const first = one.client.unary({}, keyed("k"));
    await entered.happened;
    const second = two.client.unary({}, keyed("k"));
    await asked.happened;
    go.happen();
    assert.equal((await first).text, "one");
    await clock.advance(100);
    assert.equal((await second).text, "one");
  });

  it("renews the lease while a long call runs, and stops waiting for it after maxWaitMs", async (t) => {
    const clock = createFakeClock();
    const store = createMemoryIdempotencyStore({ clock });
    const entered = createOccasion();
    const go = createOccasion();
    const one = await openInMemory(
      t,
      {
        async unary() {
          entered.happen();
          await go.happened;
          return { text: "one" };
        },
      },
      guarded({ store, clock, leaseMs: 3000 }),
    );
    const two = await openInMemory(t, { unary: () => ({ text: "two" }) }, guarded({ store, clock, maxWaitMs: 0 }));
    const first = one.client.unary({}, keyed("k"));
    await entered.happened;
    await clock.advance(60_000);
    const error = await assertStatus(two.client.unary({}, keyed("k")), Code.Unavailable, /still running/);
    assert.equal(readRetryAfterMs(error), 1000);
    go.happen();
    await first;
    assert.equal((await two.client.unary({}, keyed("k"))).text, "one");
    assert.equal(clock.pendingTimers, 0);
  });

  it("does not run a call while the store is unreachable, and loses no response", async (t) => {
    const { log, logged } = recordingLog();
    const handlers = counting();
    const down = () => Promise.reject(new Error("no route to store"));
    const working = createMemoryIdempotencyStore();
    const begins: IdempotencyStore = { begin: down, renew: down, complete: down, release: down };
    const unreachable = await openInMemory(t, handlers, guarded({ store: begins, log }));
    const error = await assertStatus(unreachable.client.unary({}, keyed("k")), Code.Unavailable);
    assert.doesNotMatch(error.message, /route/);
    assert.equal(handlers.calls, 0);

    const forgetful: IdempotencyStore = { ...begins, begin: (...args) => working.begin(...args) };
    const { client } = await openInMemory(t, handlers, guarded({ store: forgetful, log }));
    assert.equal((await client.unary({}, keyed("k"))).count, 1);
    assert.deepEqual(
      logged.map(({ fields }) => fields.step),
      ["begin", "complete"],
    );
  });

  it("logs failures of the store once in ten seconds, with the number of suppressed ones", async (t) => {
    const { log, logged } = recordingLog();
    const clock = createFakeClock();
    const down = () => Promise.reject(new Error("no route to store"));
    const store: IdempotencyStore = { begin: down, renew: down, complete: down, release: down };
    const { client } = await openInMemory(t, counting(), guarded({ store, log, clock }));
    for (let call = 0; call < 5; call++) await assertStatus(client.unary({}, keyed("k")), Code.Unavailable);
    await clock.advance(10_000);
    await assertStatus(client.unary({}, keyed("k")), Code.Unavailable);
    assert.deepEqual(
      logged.map(({ fields }) => [fields.step, fields.suppressed]),
      [
        ["begin", undefined],
        ["begin", 4],
      ],
    );
  });

  it("stores only a digest of the request that depends on the secret", async (t) => {
    const kept: string[] = [];
    const memory = createMemoryIdempotencyStore();
    const store: IdempotencyStore = {
      begin(key, fingerprint, owner, leaseMs) {
        kept.push(fingerprint);
        return memory.begin(key, fingerprint, owner, leaseMs);
      },
      renew: (...args) => memory.renew(...args),
      complete: (...args) => memory.complete(...args),
      release: (...args) => memory.release(...args),
    };
    const request = { text: "password" };
    const bytes = toBinary(EchoService.method.unary.input, create(EchoService.method.unary.input, request));
    const secret = new Uint8Array(32).fill(7);
    const given = Uint8Array.from(secret);
    const handlers = counting();
    const { client } = await openInMemory(t, handlers, guarded({ store, secret: given }));
    given.fill(0);
    assert.equal((await client.unary(request, keyed("k"))).count, 1);
    assert.equal((await client.unary(request, keyed("k"))).count, 1);
    const expected = createHmac("sha256", secret).update(bytes).digest("base64url");
    assert.deepEqual(kept, [expected, expected]);

    const other = await openInMemory(t, handlers, guarded({ store, secret: new Uint8Array(32) }));
    await assertStatus(other.client.unary(request, keyed("k")), Code.FailedPrecondition);
    assert.equal(handlers.calls, 1);
  });

  it("rejects invalid options", () => {
    const store = createMemoryIdempotencyStore();
    createIdempotency({ store, secret: new Uint8Array(32) });
    assert.throws(
      () => createIdempotency({ store, secret: new Uint8Array(31) }),
      /secret is 31 bytes; expected a Uint8Array of at least 32/,
    );
    assert.throws(() => createIdempotency({ store, secret: "text" as unknown as Uint8Array }), /expected a Uint8Array/);
    assert.throws(() => createIdempotency({ store, ttl: 5 } as IdempotencyOptions), /unknown option "ttl"/);
    assert.throws(() => createIdempotency({ store, ttlMs: 0 }), /ttlMs is 0/);
    assert.throws(
      () => createIdempotency({ store, methods: { [method]: { require: true } as object } }),
      /did you mean "required"/,
    );
    assert.throws(() => createIdempotency({} as IdempotencyOptions), /store/);
  });
});

describe("idempotency keys of a client", () => {
  it("sends a new key with each call, and keeps one that the caller has set", async (t) => {
    const keys: (string | null)[] = [];
    const take = (_request: unknown, context: { requestHeader: Headers }) => {
      keys.push(context.requestHeader.get("idempotency-key"));
      return {};
    };
    let made = 0;
    const { client, other } = await openInMemory(
      t,
      { unary: take },
      {
        channel: { interceptors: [createIdempotencyKeys({ makeKey: () => `key-${++made}` })] },
        other: { unary: take },
      },
    );
    await client.unary({});
    await client.unary({});
    await client.unary({}, keyed("own"));
    await other.unary({});
    assert.deepEqual(keys, ["key-1", "key-2", "own", null]);
  });
});
