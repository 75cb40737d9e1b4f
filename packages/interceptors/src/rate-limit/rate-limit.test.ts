import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DescMethodStreaming } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { readErrorReason, readRateLimit, readRetryAfterMs } from "@tercel/grpc/errors";
import { createHealth, createReflection, reflectionServices } from "@tercel/grpc/services";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { EchoService, OtherService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import {
  type EchoHandlers,
  openInMemory,
  openOverSocket,
  overBothTransports,
  recordingLog,
} from "../../test/support/open-echo.ts";
import { claimsKey } from "../call/claims.ts";
import { addressKey, createMemoryStore, createRateLimit, type RateLimitOptions, type RateLimitStore } from "./index.ts";

const echo = EchoService.typeName;
const twoAMinute = { requests: 2, per: "minute" } as const;
const services = [EchoService, OtherService];

const handlers: EchoHandlers = {
  unary: () => ({}),
  async *serverStream() {
    yield {};
  },
  async clientStream(requests) {
    return { count: (await collect(requests)).length };
  },
  async *bidi(requests) {
    for await (const { text } of requests) yield { text };
  },
};

function limiting(options: RateLimitOptions, ...before: Interceptor[]) {
  return { server: { interceptors: [...before, createRateLimit(options)] }, other: { unary: () => ({}) } };
}

/** Sets the claims of the caller, as createAuth does. */
const naming: Interceptor = (next) => (request) => {
  const sub = request.header.get("x-sub");
  if (sub !== null) request.contextValues.set(claimsKey, { iss: request.header.get("x-iss") ?? "i", sub, exp: 1 });
  return next(request);
};

it("uses limits that change between calls", async (t) => {
  let requests = 1;
  const limit = {
    get requests() {
      return requests;
    },
    per: "minute" as const,
  };
  const clock = createFakeClock();
  const { client } = await openInMemory(t, handlers, limiting({ limit, clock }));
  await client.unary({});
  await assertStatus(client.unary({}), Code.ResourceExhausted, "rate limit exceeded: 1 requests per minute");
  requests = 2;
  await client.unary({});
  await assertStatus(client.unary({}), Code.ResourceExhausted, "rate limit exceeded: 2 requests per minute");
});

describe("createRateLimit", () => {
  overBothTransports((open) => {
    it("rejects a call over the limit with a retry delay", async (t) => {
      const clock = createFakeClock();
      const { client } = await open(t, handlers, limiting({ limit: twoAMinute, clock }));
      await client.unary({});
      await clock.advance(20_500);
      await client.unary({});
      const error = await assertStatus(
        client.unary({}),
        Code.ResourceExhausted,
        "rate limit exceeded: 2 requests per minute",
      );
      assert.equal(readRetryAfterMs(error), 39_500);
      assert.deepEqual(readRateLimit(error), { requestsPerUnit: 2, unit: "minute" });
      assert.equal(error.metadata.get("grpc-retry-pushback-ms"), "39500");
      assert.equal(readErrorReason(error)?.reason, "RATE_LIMITED");
      await clock.advance(39_500);
      await client.unary({});
    });

    it("counts streams of all kinds like calls", async (t) => {
      const { client } = await open(t, handlers, limiting({ limit: { requests: 3, per: "hour" } }));
      await collect(client.serverStream({}));
      await client.clientStream(streamOf({}, {}, {}, {}));
      await collect(client.bidi(streamOf({}, {}, {})));
      await assertStatus(client.serverStream({}), Code.ResourceExhausted);
      await assertStatus(client.clientStream(streamOf({})), Code.ResourceExhausted);
      await assertStatus(client.bidi(streamOf({})), Code.ResourceExhausted);
    });

    it("counts the messages of streams with countMessages", async (t) => {
      const { client } = await open(
        t,
        handlers,
        limiting({ limit: { requests: 4, per: "hour" }, countMessages: true }),
      );
      assert.equal((await client.clientStream(streamOf({}, {}))).count, 2);
      const seen: string[] = [];
      const reading = async (): Promise<void> => {
        for await (const { text } of client.bidi(streamOf({ text: "3" }, { text: "4" }, { text: "5" })))
          seen.push(text);
      };
      await assertStatus(reading(), Code.ResourceExhausted);
      assert.deepEqual(seen, ["3", "4"]);
      await assertStatus(client.unary({}), Code.ResourceExhausted);
    });
  });

  it("counts each subject of each issuer separately, from any address", async (t) => {
    const options = limiting({ limit: { requests: 1, per: "day" } }, naming);
    const { client } = await openInMemory(t, handlers, options);
    const as = (sub: string, iss = "i") => client.unary({}, { headers: { "x-sub": sub, "x-iss": iss } });
    await as("ada");
    await assertStatus(as("ada"), Code.ResourceExhausted);
    await as("ada", "j");
    await as("bob");
    await client.unary({});
    await assertStatus(client.unary({}), Code.ResourceExhausted);
  });

  it("uses the address of a caller without an identity", async (t) => {
    const keys: string[] = [];
    const store: RateLimitStore = {
      take(key) {
        keys.push(key);
        return { isAllowed: true, retryAfterMs: 0 };
      },
    };
    const { client } = await openOverSocket(t, handlers, limiting({ limit: twoAMinute, store }));
    await client.unary({});
    assert.deepEqual(keys, ["* addr 127.0.0.1"]);
  });

  it("uses the key of keyOf, and does not count a call without one", async (t) => {
    const keyOf: RateLimitOptions["keyOf"] = ({ header }) => header.get("x-tenant") ?? undefined;
    const { client } = await openInMemory(t, handlers, limiting({ limit: { requests: 1, per: "day" }, keyOf }));
    const of = (tenant: string) => client.unary({}, { headers: { "x-tenant": tenant } });
    await of("a");
    await assertStatus(of("a"), Code.ResourceExhausted);
    await of("b");
    await client.unary({});
    await client.unary({});
  });

  it("has separate counts for methods and services with rules", async (t) => {
    const one = { requests: 1, per: "day" } as const;
    const methods = { [`${echo}/*`]: twoAMinute, [`${echo}/Unary`]: one, [`${echo}/Bidi`]: "unlimited" as const };
    const { client, other } = await openInMemory(t, handlers, limiting({ limit: one, methods, services }));
    await client.unary({});
    await assertStatus(client.unary({}), Code.ResourceExhausted);
    await collect(client.serverStream({}));
    await client.clientStream(streamOf({}));
    await assertStatus(client.serverStream({}), Code.ResourceExhausted);
    for (let at = 0; at < 3; at++) await collect(client.bidi(streamOf({})));
    await other.unary({});
    await assertStatus(other.unary({}), Code.ResourceExhausted);
  });

  it("counts calls that auth rejects, by address, if it is before auth", async (t) => {
    const refusing: Interceptor = (next) => (request) =>
      request.header.has("x-sub")
        ? naming(next)(request)
        : Promise.reject(new ConnectError("no token", Code.Unauthenticated));
    const before = createRateLimit({ limit: twoAMinute, keyOf: addressKey });
    const { client } = await openOverSocket(t, handlers, {
      server: { interceptors: [before, refusing, createRateLimit({ limit: twoAMinute })] },
    });
    await assertStatus(client.unary({}), Code.Unauthenticated);
    await assertStatus(client.unary({}), Code.Unauthenticated);
    await assertStatus(client.unary({}), Code.ResourceExhausted);
    await assertStatus(client.unary({}, { headers: { "x-sub": "7" } }), Code.ResourceExhausted);
  });

  it("does not limit reflection with a rule", async (t) => {
    const methods = Object.fromEntries(
      reflectionServices.map(({ typeName }) => [`${typeName}/*`, "unlimited" as const]),
    );
    const transport = createInMemoryTransport({
      routes: createReflection({ services }).routes,
      serverOptions: {
        interceptors: [createRateLimit({ limit: { requests: 1, per: "day" }, services: reflectionServices, methods })],
      },
    });
    t.after(() => transport.close());
    for (const service of reflectionServices) {
      const method = service.methods[0] as DescMethodStreaming;
      for (let at = 0; at < 2; at++) {
        const { message } = await transport.stream(method, undefined, undefined, undefined, streamOf({}));
        assert.equal((await collect(message)).length, 1);
      }
    }
  });

  it("does not limit health", async (t) => {
    const health = createHealth();
    const transport = createInMemoryTransport({
      routes: health.routes,
      serverOptions: { interceptors: [createRateLimit({ limit: { requests: 1, per: "day" } })] },
    });
    t.after(() => transport.close({ deadlineMs: 0 }));
    for (let at = 0; at < 3; at++) await createClient(health.service, transport).check({});
  });

  describe("when its store fails", () => {
    const failing: [string, RateLimitStore["take"]][] = [
      ["rejects", () => Promise.reject(new Error("down"))],
      ["throws", () => assert.fail("down")],
    ];
    for (const [how, take] of failing) {
      it(`allows calls by default, and logs that once (${how})`, async (t) => {
        const { log, logged } = recordingLog();
        const { client } = await openInMemory(t, handlers, limiting({ limit: twoAMinute, store: { take }, log }));
        for (let at = 0; at < 3; at++) await client.unary({});
        assert.deepEqual(
          logged.map(({ level, fields }) => [level, fields.calls]),
          [["error", "allowed"]],
        );
      });

      it(`denies them with onStoreFailure (${how})`, async (t) => {
        const { log } = recordingLog();
        const options = { limit: twoAMinute, store: { take }, log, onStoreFailure: "deny" } as const;
        const { client } = await openInMemory(t, handlers, limiting(options));
        const error = await assertStatus(client.unary({}), Code.Unavailable);
        assert.equal(readErrorReason(error)?.reason, "RATE_LIMIT_UNKNOWN");
        await assertStatus(client.serverStream({}), Code.Unavailable);
      });
    }

    it("counts again when it works again, and logs that", async (t) => {
      const { log, logged } = recordingLog();
      const memory = createMemoryStore();
      let isDown = true;
      const store: RateLimitStore = {
        take: async (key, limit) => (isDown ? assert.fail("down") : memory.take(key, limit)),
      };
      const { client } = await openInMemory(t, handlers, limiting({ limit: twoAMinute, store, log }));
      await client.unary({});
      isDown = false;
      await client.unary({});
      await client.unary({});
      await assertStatus(client.unary({}), Code.ResourceExhausted);
      assert.deepEqual(
        logged.map(({ level }) => level),
        ["error", "warn"],
      );
    });

    it("waits at most storeTimeoutMs for a store that hangs", async (t) => {
      const clock = createFakeClock();
      const { log, logged } = recordingLog();
      let asked: () => void = () => {};
      const isAsked = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const store: RateLimitStore = {
        take() {
          asked();
          return new Promise(() => {});
        },
      };
      const { client } = await openInMemory(t, handlers, limiting({ limit: twoAMinute, store, log, clock }));
      const call = client.unary({});
      await isAsked;
      await clock.advance(499);
      assert.equal(logged.length, 0);
      await clock.advance(1);
      await call;
      assert.match(String(logged[0]?.fields.error), /no response within 500 ms/);
      assert.equal(clock.pendingTimers, 0);
    });
  });

  it("rejects invalid options", () => {
    const wrong: [object, RegExp][] = [
      [{}, /expected limit or methods/],
      [{ limits: twoAMinute }, /did you mean "limit"/],
      [{ limit: { requests: 0, per: "minute" } }, /requests is 0/],
      [{ limit: { requests: 1.5, per: "minute" } }, /requests is 1.5/],
      [{ limit: { requests: 1, per: "fortnight" } }, /expected one of second, minute, hour, day/],
      [{ limit: { requests: 1, per: "constructor" } }, /expected one of second, minute, hour, day/],
      [
        { methods: { [`${echo}/Unari`]: twoAMinute }, services },
        /did you mean "tercel.interceptors.test.v1.EchoService\/Unary"/,
      ],
      [
        { methods: { [`${echo}/Unary`]: "none" }, services },
        /methods\[".*Unary"\] is "none"; expected an object with requests, per/,
      ],
      [{ limit: twoAMinute, onStoreFailure: "open" }, /onStoreFailure is "open"; expected one of allow, deny/],
      [{ limit: twoAMinute, storeTimeoutMs: 0 }, /storeTimeoutMs is 0/],
    ];
    for (const [options, message] of wrong) assert.throws(() => createRateLimit(options as RateLimitOptions), message);
  });
});
