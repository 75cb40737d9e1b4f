import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer, type ServiceConfigJson, waitForReady } from "@tercel/grpc";
import { assertStatus, createFakeClock, createStubServer } from "@tercel/grpc/testing";
import { quiet, streamOf } from "@tercel/test-support/async";
import type { ResolverListener } from "../src/channel/resolver/index.ts";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, openInMemory, recordingLog } from "./support/open-echo.ts";

const service = EchoService.typeName;
const everything = (config: object): ServiceConfigJson => ({ methodConfig: [{ name: [{}], ...config }] });

describe("a service config given to the channel", () => {
  it("is refused as a whole with the place of what is wrong", () => {
    const make = (serviceConfig: ServiceConfigJson | string) => () => createChannel("localhost:1", { serviceConfig });
    assert.throws(make(everything({ timeout: 5 })), {
      name: "TypeError",
      message: 'createChannel: serviceConfig.methodConfig[0].timeout is 5; it has to be a duration such as "1.5s"',
    });
    assert.throws(make('{"methodConfg":[]}'), /createChannel: serviceConfig .*did you mean "methodConfig"\?/);
  });

  it("gives calls its time-out or their own, whichever is earlier", async (t) => {
    const timeouts: (number | undefined)[] = [];
    const { client } = await openInMemory(
      t,
      {
        unary(_request, context) {
          timeouts.push(context.timeoutMs());
          return {};
        },
      },
      {
        channel: { serviceConfig: everything({ timeout: "2s" }), clock: createFakeClock() },
        server: { clock: createFakeClock() },
      },
    );
    await client.unary({});
    await client.unary({});
    await client.unary({}, { timeoutMs: 1000 });
    await client.unary({}, { timeoutMs: 3000 });
    assert.deepEqual(timeouts, [2000, 2000, 1000, 2000]);
  });

  it("ends a call at its time-out", async (t) => {
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      { unary: () => new Promise(() => {}) },
      { channel: { serviceConfig: everything({ timeout: "2s" }), clock } },
    );
    const failing = assertStatus(client.unary({}), Code.DeadlineExceeded);
    await quiet();
    await clock.advance(2010);
    await failing;
  });

  it("holds for the methods that it names", async (t) => {
    const { client } = await openInMemory(
      t,
      { unary: ({ text }) => ({ text }), clientStream: async () => ({ text: "12345" }) },
      {
        channel: {
          serviceConfig: {
            methodConfig: [
              { name: [{ service, method: "Unary" }], maxRequestMessageBytes: 7, maxResponseMessageBytes: 6 },
            ],
          },
        },
      },
    );
    // A tag and a length stand before the text.
    await assertStatus(
      client.unary({ text: "123456" }),
      Code.ResourceExhausted,
      /8 bytes is over the limit of 7 for sending/,
    );
    await assertStatus(client.unary({ text: "12345" }), Code.ResourceExhausted);
    assert.equal((await client.unary({ text: "1234" })).text, "1234");
    assert.equal((await client.clientStream(streamOf())).text, "12345");
  });

  it("does not raise a limit that the channel has set", async (t) => {
    const { client } = await openInMemory(
      t,
      { unary: () => ({}) },
      { channel: { maxSendMessageBytes: 3, serviceConfig: everything({ maxRequestMessageBytes: 100 }) } },
    );
    await assertStatus(client.unary({ text: "12" }), Code.ResourceExhausted);
  });
});

describe("waiting for ready", () => {
  /** A channel to a port where no one listens. */
  function openNowhere(t: TestContext, options: ChannelOptions) {
    const clock = createFakeClock();
    const channel = createChannel("127.0.0.1:1", { clock, ...options });
    t.after(() => channel.close());
    return { clock, channel, client: createClient(EchoService, channel) };
  }
  const asked = (value: boolean) => ({ contextValues: createContextValues().set(waitForReady, value), timeoutMs: 50 });

  it("is decided by the call, then by the channel, then by the service config", async (t) => {
    const waits: [ChannelOptions, object, boolean][] = [
      [{}, { timeoutMs: 50 }, false],
      [{ serviceConfig: everything({ waitForReady: true }) }, { timeoutMs: 50 }, true],
      [{ waitForReady: false, serviceConfig: everything({ waitForReady: true }) }, { timeoutMs: 50 }, false],
      [{ waitForReady: true }, { timeoutMs: 50 }, true],
      [{ waitForReady: true }, asked(false), false],
      [{ serviceConfig: everything({ waitForReady: false }) }, asked(true), true],
    ];
    for (const [options, call, expected] of waits) {
      const { client, clock } = openNowhere(t, options);
      // The port refuses in no time, so a call that does not wait fails by itself.
      const outcome = assertStatus(client.unary({}, call), expected ? Code.DeadlineExceeded : Code.Unavailable);
      if (expected) {
        await quiet();
        await clock.advance(100);
      }
      await outcome;
    }
  });
});

describe("a resolver's service config", () => {
  async function openResolved(t: TestContext, options: ChannelOptions = {}) {
    const seen: (number | undefined)[] = [];
    const server = createServer({
      routes: echoRoutes({
        unary(_request, context) {
          seen.push(context.timeoutMs() === undefined ? undefined : Math.ceil((context.timeoutMs() as number) / 1000));
          return {};
        },
      }),
    });
    const { port } = await server.listen({ port: 0 });
    const listeners: ResolverListener[] = [];
    const channel = createChannel("scripted:///x", {
      resolvers: [
        {
          scheme: "scripted",
          create(_target, listener) {
            listeners.push(listener);
            return { resolveNow() {}, close() {} };
          },
        },
      ],
      log: recordingLog().log,
      ...options,
    });
    t.after(async () => {
      await channel.close();
      await server.close({ deadlineMs: 0 });
    });
    const endpoints = [{ addresses: [{ host: "127.0.0.1", port }] }];
    const report = (serviceConfigJson?: string): boolean =>
      (listeners[0] as ResolverListener).onResult({
        endpoints,
        ...(serviceConfigJson !== undefined && { serviceConfigJson }),
      });
    return { client: createClient(EchoService, channel), channel, report, seen, listeners, endpoints };
  }
  const timeout = (seconds: number): string => JSON.stringify(everything({ timeout: `${seconds}s` }));

  it("holds for the call that made the channel resolve, and wins over the channel's own", async (t) => {
    const { client, report, seen } = await openResolved(t, { serviceConfig: everything({ timeout: "9s" }) });
    const first = client.unary({});
    report(timeout(5));
    await first;
    report(timeout(7));
    await client.unary({});
    report();
    await client.unary({});
    assert.deepEqual(seen, [5, 7, 9]);
  });

  it("changes nothing when it is invalid, and endpoints still count", async (t) => {
    const { client, channel, report, seen } = await openResolved(t);
    const first = client.unary({});
    assert.equal(report(timeout(5)), true);
    await first;
    assert.equal(report('{"methodConfig": 1}'), true);
    await client.unary({});
    assert.deepEqual(seen, [5, 5]);
    assert.match(channel.explain().resolver.lastError ?? "", /^the service config of "scripted:\/\/\/x" is invalid: /);
  });

  it("fails calls when it is invalid and there was none before, until a valid one comes", async (t) => {
    const { client, channel, report } = await openResolved(t);
    const failing = assertStatus(client.unary({}), Code.Unavailable, /is invalid: service config is not JSON/);
    assert.equal(report("{"), false);
    await failing;
    assert.equal(channel.state, "transient_failure");
    const waiting = client.unary({}, { contextValues: createContextValues().set(waitForReady, true) });
    assert.equal(report("{}"), true);
    await waiting;
  });

  it("leaves the application's default in force when it is invalid and there was none before", async (t) => {
    const { log, logged } = recordingLog();
    const serviceConfig = everything({ timeout: "9s" });
    const { client, report, seen } = await openResolved(t, { serviceConfig, log });
    const first = client.unary({});
    assert.equal(report("{"), true);
    await first;
    report("{");
    report(timeout(5));
    await client.unary({});
    report('{"methodConfig": 1}');
    await client.unary({});
    assert.deepEqual(seen, [9, 5, 5]);
    assert.deepEqual(
      logged.map(({ level, message, fields }) => [level, message, fields.target, fields.inForce]),
      ["default config", "earlier config"].map((inForce) => [
        "warn",
        "rejected the service config of a target",
        "scripted:///x",
        inForce,
      ]),
    );
    assert.match(String(logged[0]?.fields.reason), /is not JSON/);
  });

  it("leaves the application's default in force when the query for it fails", async (t) => {
    const { log, logged } = recordingLog();
    const serviceConfig = everything({ timeout: "9s" });
    const { client, seen, listeners, endpoints } = await openResolved(t, { serviceConfig, log });
    const first = client.unary({});
    const serviceConfigError = new ConnectError(
      'no service config of "_grpc_config.x": queryTxt ETIMEOUT',
      Code.Unavailable,
    );
    assert.equal(listeners[0]?.onResult({ endpoints, serviceConfigError }), true);
    await first;
    assert.deepEqual(seen, [9]);
    assert.match(String(logged[0]?.fields.reason), /queryTxt ETIMEOUT/);
  });

  it("is said to be rejected, with what that means for calls, where there is nothing to fall back on", async (t) => {
    const { log, logged } = recordingLog();
    const { client, report } = await openResolved(t, { log });
    const failing = assertStatus(client.unary({}), Code.Unavailable, /is invalid/);
    report("{");
    await failing;
    assert.equal(logged[0]?.fields.inForce, "none: calls fail");
  });

  it("may hold what only newer clients know", async (t) => {
    const { client, report, seen } = await openResolved(t);
    const call = client.unary({});
    report(JSON.stringify({ ...everything({ timeout: "5s", novelty: 1 }), another: {} }));
    await call;
    assert.deepEqual(seen, [5]);
  });

  it("fails no call with a code that belongs to applications", async (t) => {
    const { client, listeners } = await openResolved(t);
    const failing = assertStatus(client.unary({}), Code.Internal, /failed with NOT_FOUND: no such host/);
    listeners[0]?.onError(new ConnectError("no such host", Code.NotFound));
    await failing;
    listeners[0]?.onError(new ConnectError("no answer", Code.Unavailable));
    await assertStatus(client.unary({}), Code.Unavailable, "no answer");
  });
});

describe("a service config that asks for health", () => {
  it("says once that servers offer no health service, and calls them all the same", async (t) => {
    const { log, logged } = recordingLog();
    const serviceConfig = { loadBalancingConfig: [{ round_robin: {} }], healthCheckConfig: { serviceName: "" } };
    const targets = await Promise.all(
      [1, 2].map(() =>
        createStubServer(echoRoutes({ unary: () => ({}) }), { serverOptions: { log: recordingLog().log } }),
      ),
    );
    const channel = createChannel(`static:///${targets.map(({ target }) => target).join()}`, { serviceConfig, log });
    t.after(async () => {
      await channel.close();
      await Promise.all(targets.map((stub) => stub.close()));
    });
    const client = createClient(EchoService, channel);
    for (let calls = 0; calls < 4 || targets.some(({ server }) => server.calls.started === 0); calls++)
      await client.unary({});
    assert.deepEqual(
      logged.map(({ level, message }) => [level, message]),
      [["warn", "healthCheckConfig is set, but the server has no grpc.health.v1.Health/Watch: it counts as healthy"]],
    );
  });
});

describe("maxConcurrentCalls", () => {
  it("lets as many calls be open, and refuses one more until one has ended", async (t) => {
    const answers: (() => void)[] = [];
    const { client } = await openInMemory(
      t,
      { unary: () => new Promise((resolve) => answers.push(() => resolve({}))) },
      { channel: { maxConcurrentCalls: 2 } },
    );
    const calls = [client.unary({}), client.unary({})];
    await assertStatus(client.unary({}), Code.ResourceExhausted, /^2 calls are open on the channel/);
    await quiet();
    answers[0]?.();
    await calls[0];
    const third = client.unary({});
    await quiet();
    for (const answer of answers) answer();
    await Promise.all([...calls, third]);
  });
});
