import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { Code, createClient, type Interceptor } from "@connectrpc/connect";
import { type CallInfo, callInfo } from "@tercel/grpc";
import { readErrorReason } from "@tercel/grpc/errors";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { createOccasion } from "@tercel/test-support/async";
import { EchoService, OtherService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { MachineService } from "../../test/gen/tercel/interceptors/test/v1/guarded_pb.ts";
import { answeringWith, callOfEachKind } from "../../test/support/all-kinds.ts";
import { openInMemory, overBothTransports, recordingLog } from "../../test/support/open-echo.ts";
import {
  callerKey,
  createServiceKey,
  createServiceKeyGuard,
  type ServiceKeyGuardOptions,
  type ServiceKeyOptions,
  type ServiceKeySource,
} from "./index.ts";

const echo = EchoService.typeName;
const ordersKey = "orders-0123456789abcdef0123456789abcdef";
const newOrdersKey = "orders-fedcba9876543210fedcba9876543210";
const stockKey = "stock-0123456789abcdef0123456789abcdef";
const keys = [
  { name: "orders", key: ordersKey },
  { name: "stock", key: stockKey },
];
const whoCalls = answeringWith((values) => values.get(callerKey)?.name ?? "absent");

function guard(options: Partial<ServiceKeyGuardOptions> = {}): Interceptor {
  const needsServices = options.identifyOnly !== true;
  return createServiceKeyGuard({
    ...(needsServices && { services: [EchoService, OtherService], defaultRule: "authenticated" }),
    keys,
    log: recordingLog().log,
    ...options,
  });
}

function bearing(key: string, name = "x-service-key"): { headers: Record<string, string> } {
  return { headers: { [name]: key } };
}

/** A server with the interceptor, and clients in the same process. */
async function open(t: TestContext, options: Partial<ServiceKeyGuardOptions> = {}, before: Interceptor[] = []) {
  return openInMemory(t, whoCalls, { server: { interceptors: [...before, guard(options)] } });
}

describe("createServiceKeyGuard", () => {
  overBothTransports((openEcho) => {
    for (const [kind, call] of callOfEachKind) {
      it(`identifies and rejects the callers of ${kind} calls`, async (t) => {
        const methods = { [`${echo}/*`]: { callers: ["orders"] } };
        const { client } = await openEcho(t, whoCalls, { server: { interceptors: [guard({ methods })] } });
        assert.equal(await call(client, bearing(ordersKey)), "orders");
        const rows: readonly (readonly [options: object, code: Code, reason: string])[] = [
          [{}, Code.Unauthenticated, "KEY_MISSING"],
          [bearing(""), Code.Unauthenticated, "KEY_MISSING"],
          [bearing(`${ordersKey}x`), Code.Unauthenticated, "KEY_INVALID"],
          [bearing(ordersKey.slice(0, -1)), Code.Unauthenticated, "KEY_INVALID"],
          [bearing(`${ordersKey}, ${stockKey}`), Code.Unauthenticated, "KEY_INVALID"],
          [bearing("orders"), Code.Unauthenticated, "KEY_INVALID"],
          [bearing(stockKey), Code.PermissionDenied, "CALLER_DENIED"],
        ];
        for (const [given, code, reason] of rows) {
          const error = await assertStatus(call(client, given), code);
          assert.equal(readErrorReason(error)?.reason, reason);
          assert.equal(readErrorReason(error)?.domain, "tercel.servicekey");
        }
      });
    }
  });

  it("accepts several keys of one workload during a rotation", async (t) => {
    const { client } = await open(t, { keys: [...keys, { name: "orders", key: newOrdersKey }] });
    for (const key of [ordersKey, newOrdersKey]) assert.equal((await client.unary({}, bearing(key))).text, "orders");
  });

  it("never shows a key in logs, errors, or the handler's caller", async (t) => {
    const { log, logged } = recordingLog();
    const { client } = await open(t, { log });
    const error = await assertStatus(client.unary({}, bearing(`${ordersKey}x`)), Code.Unauthenticated);
    await client.unary({}, bearing(ordersKey));
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.method, fields.reason]),
      [["debug", `${echo}/Unary`, "KEY_INVALID"]],
    );
    assert.ok(!JSON.stringify([logged, error.message, error.details]).includes("0123456789abcdef"));
  });

  it("applies the rules in code and proto, and does not check health", async (t) => {
    const transport = createInMemoryTransport({
      routes(router) {
        router.service(MachineService, {
          either: () => ({}),
          program: (_request, { values }) => ({ subject: values.get(callerKey)?.name ?? "" }),
          token: () => ({}),
          known: () => ({}),
          open: () => ({}),
        });
        createHealth().routes(router);
        router.service(OtherService, {});
      },
      serverOptions: {
        log: recordingLog().log,
        interceptors: [
          createServiceKeyGuard({
            services: [MachineService],
            keys,
            methods: { [`${MachineService.typeName}/Known`]: { callers: ["stock"] } },
          }),
        ],
      },
    });
    t.after(() => transport.close({ deadlineMs: 0 }));
    const client = createClient(MachineService, transport);
    await client.open({});
    await createClient(createHealth().service, transport).check({});
    assert.equal((await client.program({}, bearing(ordersKey))).subject, "orders");
    await client.either({}, bearing(ordersKey));
    await client.known({}, bearing(stockKey));
    await assertStatus(client.known({}, bearing(ordersKey)), Code.PermissionDenied);
    await assertStatus(client.program({}, bearing(stockKey)), Code.PermissionDenied);
    // A rule that requires a role admits no workload.
    await assertStatus(client.token({}, bearing(ordersKey)), Code.PermissionDenied);
    const other = createClient(OtherService, transport).unary({}, bearing(ordersKey));
    assert.equal(readErrorReason(await assertStatus(other, Code.PermissionDenied))?.reason, "METHOD_DENIED");
  });

  it("checks no rules with identifyOnly", async (t) => {
    const { client } = await open(t, { identifyOnly: true });
    assert.equal((await client.unary({}, bearing(stockKey))).text, "stock");
    assert.equal((await client.unary({})).text, "absent");
    await assertStatus(client.unary({}, bearing("x".repeat(40))), Code.Unauthenticated);
  });

  it("rejects a key that arrived over the network without TLS, and logs that it must be replaced", async (t) => {
    const { log, logged } = recordingLog();
    const from =
      (info: Partial<CallInfo>): Interceptor =>
      (next) =>
      (request) => {
        request.contextValues.set(callInfo, { ...info } as CallInfo);
        return next(request);
      };
    const far = { peerAddress: "192.0.2.1:7" };
    const exposed = await open(t, { log }, [from(far)]);
    const error = await assertStatus(exposed.client.unary({}, bearing(ordersKey)), Code.Unauthenticated);
    assert.equal(readErrorReason(error)?.reason, "KEY_EXPOSED");
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.name]),
      [["warn", "orders"]],
    );
    // An unknown key is not exposed, so it is not logged.
    await assertStatus(exposed.client.unary({}, bearing("x".repeat(40))), Code.Unauthenticated);
    assert.equal(logged.filter(({ level }) => level === "warn").length, 1);
    const secured = await open(t, {}, [from({ ...far, peerTls: { certificate: undefined } })]);
    await secured.client.unary({}, bearing(ordersKey));
    const permitted = await open(t, { allowCleartext: true }, [from(far)]);
    await permitted.client.unary({}, bearing(ordersKey));
  });

  it("reloads its file, at once for an unknown key", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-keys-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "keys");
    writeFileSync(file, `orders ${ordersKey}\n`);
    const clock = createFakeClock();
    const { log, logged } = recordingLog();
    const { client } = await open(t, { keys: { file }, clock, log, maxAgeMs: 10_000, cooldownMs: 1000 });
    await client.unary({}, bearing(ordersKey));

    writeFileSync(file, `orders ${ordersKey}\norders ${newOrdersKey}\n`);
    await clock.advance(999);
    await assertStatus(client.unary({}, bearing(newOrdersKey)), Code.Unauthenticated);
    await clock.advance(1);
    assert.equal((await client.unary({}, bearing(newOrdersKey))).text, "orders");

    // An invalid file changes nothing.
    writeFileSync(file, `orders\n`);
    await clock.advance(1000);
    await assertStatus(client.unary({}, bearing(stockKey)), Code.Unauthenticated);
    await client.unary({}, bearing(ordersKey));
    const warned = logged.filter(({ level }) => level === "warn");
    assert.match(String(warned[0]?.fields.error), /line 1 must be a name, a space and a key/);
    rmSync(file);
    await clock.advance(1000);
    await assertStatus(client.unary({}, bearing(stockKey)), Code.Unauthenticated);
    await client.unary({}, bearing(newOrdersKey));
  });

  it("drops a key that was removed from its source, in the background", async (t) => {
    const clock = createFakeClock();
    let given = keys;
    let asked = 0;
    const looked = createOccasion();
    const { client } = await open(t, {
      clock,
      maxAgeMs: 10_000,
      keys() {
        if (++asked === 2) looked.happen();
        return given;
      },
    });
    await client.unary({}, bearing(stockKey));
    given = keys.slice(0, 1);
    await clock.advance(9999);
    await client.unary({}, bearing(stockKey));
    assert.equal(asked, 1);
    await clock.advance(1);
    await client.unary({}, bearing(stockKey));
    await looked.happened;
    await assertStatus(client.unary({}, bearing(stockKey)), Code.Unauthenticated);
    await client.unary({}, bearing(ordersKey));
  });

  it("calls its function once for all waiting calls, and is unavailable before the first keys", async (t) => {
    const clock = createFakeClock();
    let asked = 0;
    let isBroken = true;
    const { client } = await open(t, {
      clock,
      keys: async () => {
        asked++;
        if (isBroken) throw new Error("the vault is sealed");
        return keys;
      },
    });
    const error = await assertStatus(client.unary({}, bearing(ordersKey)), Code.Unavailable);
    assert.equal(readErrorReason(error)?.reason, "KEYS_UNAVAILABLE");
    assert.ok(!error.message.includes("vault"));
    isBroken = false;
    asked = 0;
    await Promise.all(Array.from({ length: 10 }, () => client.unary({}, bearing(ordersKey))));
    assert.equal(asked, 1);
  });

  it("loads its keys at most once per cooldown, whatever clients send", async (t) => {
    const clock = createFakeClock();
    let asked = 0;
    const { client } = await open(t, {
      clock,
      keys() {
        asked++;
        return keys;
      },
    });
    await client.unary({}, bearing(ordersKey));
    for (let at = 0; at < 20; at++) {
      await assertStatus(client.unary({}, bearing("x".repeat(32 + at))), Code.Unauthenticated);
    }
    assert.equal(asked, 1);
  });

  const file = join(tmpdir(), "tercel-no-such-file");
  const mistakes: readonly (readonly [what: string, options: object, message: RegExp])[] = [
    ["no keys", { keys: undefined }, /keys is missing; expected a list, a function, or \{ file \}/],
    ["an empty list", { keys: [] }, /expected at least one key/],
    ["a short key", { keys: [{ name: "orders", key: "secret" }] }, /the key of orders must be 32 to 512/],
    ["a file that is not there", { keys: { file } }, /ENOENT/],
    ["an unknown option of a file", { keys: { file, mode: 1 } }, /mode/],
    ["a header of gRPC's own", { header: "grpc-key" }, /neither begins with "grpc-"/],
    ["a header in capitals", { header: "X-Key" }, /lower case/],
    ["an unknown option", { cooldown: 1 }, /did you mean "cooldownMs"/],
    ["a cooldown of 0", { cooldownMs: 0 }, /cooldownMs is 0/],
    ["an age of 0", { maxAgeMs: 0 }, /maxAgeMs is 0/],
  ];
  for (const [what, options, message] of mistakes) {
    it(`rejects ${what}`, () => assert.throws(() => guard(options), message));
  }
});

describe("createServiceKey", () => {
  function openWith(
    t: TestContext,
    source: ServiceKeySource,
    options: Partial<ServiceKeyOptions> = {},
    counted?: () => void,
  ) {
    const counting: Interceptor = (next) => (request) => {
      counted?.();
      return next(request);
    };
    return openInMemory(t, whoCalls, {
      server: { interceptors: [counting, guard()] },
      channel: {
        authority: "localhost",
        interceptors: [createServiceKey({ key: source, log: recordingLog().log, ...options })],
      },
    });
  }

  overBothTransports((openEcho) => {
    for (const [kind, call] of callOfEachKind) {
      it(`adds the key to ${kind} calls`, async (t) => {
        const { client } = await openEcho(t, whoCalls, {
          server: { interceptors: [guard({ header: "x-internal-key" })] },
          channel: {
            authority: "localhost",
            interceptors: [createServiceKey({ key: stockKey, header: "x-internal-key" })],
          },
        });
        assert.equal(await call(client), "stock");
      });
    }
  });

  it("gets the key from a function, and calls it again when the key is old", async (t) => {
    const clock = createFakeClock();
    let given = ordersKey;
    const { client } = await openWith(t, async () => given, { clock, maxAgeMs: 10_000 });
    assert.equal((await client.unary({})).text, "orders");
    given = stockKey;
    await clock.advance(9999);
    assert.equal((await client.unary({})).text, "orders");
    await clock.advance(1);
    await client.unary({});
    assert.equal((await client.unary({})).text, "stock");
  });

  it("gets the key from a file, and reloads it when the server rejects it", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-key-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "key");
    const clock = createFakeClock();
    let calls = 0;
    writeFileSync(file, `${newOrdersKey}\n`);
    const { client } = await openWith(t, { file }, { clock }, () => calls++);
    await assertStatus(client.unary({}), Code.Unauthenticated);
    assert.equal(calls, 1, "the same key is not sent twice");
    writeFileSync(file, `${ordersKey}\n`);
    await clock.advance(1000);
    assert.equal((await client.unary({})).text, "orders");
    assert.equal(calls, 3);
    // An unreadable file changes nothing.
    rmSync(file);
    await clock.advance(10_000);
    for (let at = 0; at < 2; at++) assert.equal((await client.unary({})).text, "orders");
  });

  it("does not retry a stream", async (t) => {
    let calls = 0;
    const sources = [newOrdersKey, ordersKey];
    const { client } = await openWith(
      t,
      () => sources.shift() ?? ordersKey,
      {},
      () => calls++,
    );
    await assertStatus(client.serverStream({}), Code.Unauthenticated);
    assert.equal(calls, 1);
  });

  it("sends the key without TLS only over loopback, unless cleartext is allowed", async (t) => {
    const openTo = (options: Partial<ServiceKeyOptions>) =>
      openInMemory(t, whoCalls, {
        server: { interceptors: [guard()] },
        channel: { authority: "orders.example", interceptors: [createServiceKey({ key: ordersKey, ...options })] },
      });
    const { client } = await openTo({});
    for (const [, call] of callOfEachKind) {
      await assertStatus(call(client), Code.Unauthenticated, /must not be sent to another machine without TLS/);
    }
    assert.equal((await (await openTo({ allowCleartext: true })).client.unary({})).text, "orders");
  });

  it("fails with UNAVAILABLE without a key, and does not show an invalid one", async (t) => {
    const sources: readonly ServiceKeySource[] = [
      () => Promise.reject(new Error("sealed")),
      () => "short-secret",
      { file: join(tmpdir(), "tercel-no-such-file") },
    ];
    for (const source of sources) {
      const { log, logged } = recordingLog();
      const { client } = await openWith(t, source, { log });
      await assertStatus(client.unary({}), Code.Unavailable, "no service key could be loaded for the call");
      assert.equal(logged[0]?.level, "warn");
      assert.ok(!JSON.stringify(logged).includes("short-secret"));
    }
  });

  const mistakes: readonly (readonly [what: string, source: unknown, options: object, message: RegExp])[] = [
    ["a short key", "secret", {}, /32 to 512 printable characters/],
    ["no key", undefined, {}, /key is missing; expected a text, a function, or \{ file \}/],
    ["an unknown option", ordersKey, { headers: "x" }, /did you mean "header"/],
    ["a binary header", ordersKey, { header: "key-bin" }, /nor ends in "-bin"/],
  ];
  for (const [what, source, options, message] of mistakes) {
    it(`rejects ${what}`, () => assert.throws(() => createServiceKey({ key: source as string, ...options }), message));
  }
});
