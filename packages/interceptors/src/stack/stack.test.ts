import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Code, type Interceptor } from "@connectrpc/connect";
import { createClient } from "@tercel/grpc";
import { hookChain } from "@tercel/grpc/internal";
import { createHealth } from "@tercel/grpc/services";
import { assertStatus, createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { createMemoryIdempotencyStore } from "../idempotency/index.ts";
import { createRegistry } from "../metrics/index.ts";
import { clientOrder, createClientStack } from "./client-stack.ts";
import { createServerStack, type ServerStackOptions, serverOrder } from "./server-stack.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const passOn: Interceptor = (next) => (request) => next(request);
const named = (): Interceptor => (next) => (request) => next(request);
const readmeOf = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

/** Every feature of a server, with its minimal configuration. */
function everyServerFeature(): ServerStackOptions {
  const { service } = createHealth();
  return {
    services: [service],
    log: silent,
    metrics: { registry: createRegistry() },
    otelMetrics: true,
    logging: { log: silent },
    loadShedding: true,
    mtls: { identifyOnly: true },
    serviceKey: { identifyOnly: true, keys: [{ name: "orders", key: "k".repeat(32) }] },
    addressLimit: { limit: { requests: 10, per: "minute" } },
    auth: { keys: [{ id: "1", algorithm: "HS256", secret: new Uint8Array(32) }], issuer: "i", audience: "a" },
    rateLimit: { limit: { requests: 10, per: "minute" } },
    validation: true,
    concurrencyLimit: { max: 1 },
    idempotency: { store: createMemoryIdempotencyStore() },
  };
}

describe("a server's stack", () => {
  it("has request ids, tracing, recovery and deadlines when nothing is said", async () => {
    const stack = await createServerStack();
    assert.deepEqual(stack.features, ["requestId", "tracing", "recovery", "deadline"]);
    assert.equal(stack.interceptors.length, 4);
    assert.deepEqual(Object.keys(stack.serverOptions), ["interceptors"]);
    stack.close();
  });

  it("has every feature in the order that it is known by", async () => {
    const stack = await createServerStack(everyServerFeature());
    assert.deepEqual(stack.features, serverOrder);
    assert.equal(stack.interceptors.length, serverOrder.length);
    assert.equal(typeof stack.serverOptions.onUnhandledCall, "function");
    assert.equal(typeof stack.serverOptions.onLimit, "function");
    assert.equal(stack.loadShedding?.running, 0);
    assert.equal(stack.concurrencyLimit?.running(), 0);
    stack.close();
  });

  it("leaves out what is false", async () => {
    const stack = await createServerStack({ requestId: false, tracing: false, recovery: false, auth: false });
    assert.deepEqual(stack.features, ["deadline"]);
    stack.close();
  });

  it("places interceptors of the application around features, instead of them, and where a feature is off", async () => {
    const [outer, inner, last, substitute] = [named(), named(), named(), named()];
    const stack = await createServerStack({
      before: { tracing: outer, idempotency: [inner, last] },
      after: { idempotency: passOn },
      replace: { recovery: [substitute] },
      without: ["requestId", "deadline"],
    });
    const [first, tracing, ...rest] = stack.interceptors;
    assert.equal(first, outer);
    assert.ok(tracing !== undefined && hookChain(tracing) !== undefined);
    assert.deepEqual(rest, [substitute, inner, last, passOn]);
    assert.deepEqual(stack.features, ["tracing"]);
    stack.close();
  });

  for (const [what, given, message] of [
    [
      "an unknown feature",
      { requestID: true },
      /createServerStack: unknown option "requestID"; did you mean "requestId"\?/,
    ],
    ["an unknown place", { before: { loging: passOn } }, /: before: unknown option "loging"; did you mean "logging"\?/],
    [
      "to leave out what it does not know",
      { without: ["tracin"] },
      /: without: unknown option "tracin"; did you mean "tracing"\?/,
    ],
    ["a text in place of a list", { without: "tracing" }, /createServerStack: without must be a list of features/],
    [
      "what is not an interceptor",
      { after: { auth: [passOn, {}] } },
      /createServerStack: after.auth must be an interceptor/,
    ],
    [
      "to configure what is replaced",
      { deadline: {}, replace: { deadline: passOn } },
      /deadline is configured and in replace/,
    ],
    [
      "to configure what is left out",
      { deadline: true, without: ["deadline"] },
      /deadline is configured and in without/,
    ],
    [
      "to replace what is left out",
      { replace: { deadline: passOn }, without: ["deadline"] },
      /deadline is in replace and in without/,
    ],
    [
      "a number for a feature's options",
      { deadline: 5000 },
      /createServerStack: deadline must be its options, true or false/,
    ],
    [
      "a feature's unknown option",
      { deadline: { defaultMS: 1 } },
      /createServerDeadline: unknown option "defaultMS"; did you mean "defaultMs"\?/,
    ],
  ] as const) {
    it(`rejects ${what}`, async () => {
      await assert.rejects(createServerStack(given as object), message);
    });
  }

  it("closes the built features when a later one fails", async () => {
    let isStopped = false;
    const loopDelay = {
      takeMeanMs: () => 0,
      stop() {
        isStopped = true;
      },
    };
    const building = createServerStack({ loadShedding: { loopDelay }, concurrencyLimit: { max: 0 } });
    await assert.rejects(building, RangeError);
    assert.equal(isStopped, true);
  });

  it("passes the services, the log and the clock to features without their own", async (t) => {
    const { service, routes } = createHealth();
    const logged: string[] = [];
    const log = { ...silent, error: (message: string) => logged.push(message) };
    const stack = await createServerStack({
      log,
      clock: createFakeClock(),
      services: [service],
      rateLimit: { methods: { "grpc.health.v1.Health/Check": { requests: 1, per: "minute" } } },
      after: {
        idempotency: () => () => {
          throw new TypeError("a bug");
        },
      },
    });
    const transport = createInMemoryTransport({ routes, serverOptions: { log: silent, ...stack.serverOptions } });
    t.after(async () => {
      await transport.close();
      stack.close();
    });
    await assertStatus(createClient(service, transport).check({}), Code.Internal);
    assert.deepEqual(logged, ["a handler failed"]);
  });

  it("keeps the fast path only with the features that its page lists", async () => {
    const { interceptors, features, close } = await createServerStack(everyServerFeature());
    close();
    const [, keeps, leaves] =
      /^\| keeps it \| leaves it \|\n\|[-|]+\|\n\| (.+) \| ([^;]+);/m.exec(readmeOf("./README.md")) ?? [];
    const list = (cell: string | undefined) => [...(cell ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const isHook = (at: number): boolean => hookChain(interceptors[at]) !== undefined;
    assert.deepEqual(
      features.filter((_, at) => isHook(at)),
      list(keeps),
    );
    assert.deepEqual(
      features.filter((_, at) => !isHook(at)),
      list(leaves),
    );
  });
});

describe("a client's stack", () => {
  it("has request ids, tracing and deadlines when nothing is said", async () => {
    const stack = await createClientStack();
    assert.deepEqual(stack.features, ["requestId", "tracing", "deadline"]);
  });

  it("has every feature in the order that it is known by", async () => {
    const stack = await createClientStack({
      log: silent,
      metrics: { registry: createRegistry() },
      otelMetrics: true,
      logging: { log: silent },
      validation: true,
      bearerToken: { getToken: () => "token" },
      cache: true,
      circuitBreaker: true,
      concurrencyLimit: { max: 1 },
      idempotencyKeys: true,
      serviceKey: { key: "k".repeat(32) },
    });
    assert.deepEqual(stack.features, clientOrder);
    assert.equal(stack.interceptors.length, clientOrder.length);
    assert.equal(stack.cache?.size, 0);
    assert.deepEqual(stack.circuitBreaker?.circuits(), []);
    assert.equal(stack.concurrencyLimit?.queued(), 0);
  });

  it("rejects a feature of servers with the nearest of its own", async () => {
    await assert.rejects(createClientStack({ circuitBraker: true } as object), /did you mean "circuitBreaker"\?/);
    await assert.rejects(
      createClientStack({ recovery: true } as object),
      /createClientStack: unknown option "recovery"/,
    );
  });

  it("adds the token outside the cache, so that no caller gets the response of another", async (t) => {
    const { service } = createHealth();
    const seen: (string | null)[] = [];
    const transport = createInMemoryTransport({
      routes: (router) =>
        router.service(service, {
          check(_request, { requestHeader }) {
            seen.push(requestHeader.get("authorization"));
            return { status: 1 };
          },
        }),
      channelOptions: {
        interceptors: (
          await createClientStack({
            bearerToken: { getToken: () => "ada", allowCleartext: true },
            cache: { methods: { "grpc.health.v1.Health/Check": {} } },
          })
        ).interceptors,
      },
    });
    t.after(() => transport.close());
    const client = createClient(service, transport);
    await client.check({});
    await client.check({});
    await client.check({}, { headers: { authorization: "Bearer bob" } });
    assert.deepEqual(seen, ["Bearer ada", "Bearer bob"]);
  });
});

for (const [side, order] of [
  ["server", serverOrder],
  ["client", clientOrder],
] as const) {
  it(`the package's page lists the ${side}'s features in their order`, () => {
    const section = readmeOf("../../README.md").split("## In which order")[1]?.split("\n## ")[0] ?? "";
    const [server = "", client = ""] = section.split("On a client:");
    const items = (side === "server" ? server : client).split("\n").filter((line) => /^\d+\. /.test(line));
    const known = new Set<string>(order);
    const listed = items.flatMap((item) => [...item.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));
    assert.deepEqual([...new Set(listed.filter((name) => known.has(name)))], order);
  });
}
