import assert, { AssertionError } from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { callInfo } from "../call/context/call-info.ts";
import { invalidArgument, notFound } from "../errors/index.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "../services/index.ts";
import {
  assertStatus,
  createFakeClock,
  createInMemoryTransport,
  createStubServer,
  createTestContext,
  type ExpectedError,
} from "./index.ts";

describe("createFakeClock", () => {
  it("runs timers in order of time and then of making, each at its own time, and no later ones", async () => {
    const clock = createFakeClock();
    const start = clock.nowMs();
    const ran: [string, number][] = [];
    const note = (name: string) => () => ran.push([name, clock.nowMs() - start]);
    clock.after(30, note("c"));
    clock.after(10, note("a"));
    clock.after(10, note("b"));
    clock.after(31, note("too late"));
    await clock.advance(30);
    assert.deepEqual(ran, [
      ["a", 10],
      ["b", 10],
      ["c", 30],
    ]);
    assert.equal(clock.nowMs() - start, 30);
    assert.equal(clock.pendingTimers, 1);
  });

  it("runs timers that timers and their promises make, if they fall due on the way", async () => {
    const clock = createFakeClock();
    const start = clock.nowMs();
    const ran: number[] = [];
    clock.after(10, async () => {
      await Promise.resolve();
      clock.after(10, () => ran.push(clock.nowMs() - start));
    });
    await clock.advance(25);
    assert.deepEqual(ran, [20]);
  });

  it("lets promises that are under way set their timers before it moves", async () => {
    const clock = createFakeClock();
    const start = clock.nowMs();
    const ran: number[] = [];
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => clock.after(10, () => ran.push(clock.nowMs() - start)));
    await clock.advance(10);
    assert.deepEqual(ran, [10]);
  });

  it("tells which timers keep the process alive", () => {
    const clock = createFakeClock();
    clock.after(10, () => {});
    const callOff = clock.after(10, () => {}, true);
    assert.deepEqual([clock.pendingTimers, clock.holdingTimers], [2, 1]);
    callOff();
    assert.deepEqual([clock.pendingTimers, clock.holdingTimers], [1, 0]);
  });

  it("forgets timers that are called off", async () => {
    const clock = createFakeClock();
    clock.after(10, () => assert.fail("was called off"))();
    await clock.advance(20);
    assert.equal(clock.pendingTimers, 0);
  });
});

describe("assertStatus", () => {
  const failing = () => Promise.reject(new ConnectError("not here", Code.NotFound));

  it("returns the error of a call that fails as expected", async () => {
    assert.equal((await assertStatus(failing(), Code.NotFound)).rawMessage, "not here");
    await assertStatus(failing(), Code.NotFound, "not here");
    await assertStatus(failing(), Code.NotFound, /here/);
  });

  const wrong: [string, () => Promise<unknown>, RegExp][] = [
    ["another code", () => assertStatus(failing(), Code.Aborted), /\[not_found\] not here instead of Aborted/],
    ["another message", () => assertStatus(failing(), Code.NotFound, "here"), /"not here"/],
    ["a message that does not match", () => assertStatus(failing(), Code.NotFound, /^here/), /"not here"/],
    ["success", () => assertStatus(Promise.resolve(), Code.NotFound), /succeeded instead of failing with NotFound/],
    ["another kind of error", () => assertStatus(Promise.reject(new Error("x")), Code.NotFound), /Error: x/],
    [
      "a stream that ends well",
      () =>
        assertStatus(
          (async function* () {
            yield 1;
          })(),
          Code.NotFound,
        ),
      /ended well after 1 messages/,
    ],
  ];
  for (const [name, attempt, message] of wrong) {
    it(`fails for ${name}, and says so`, async () => {
      await assert.rejects(attempt, (error) => error instanceof AssertionError && message.test(error.message));
    });
  }

  const detailed = () =>
    Promise.reject(
      invalidArgument({
        message: "no",
        violations: [
          { field: "user.name", description: "is empty" },
          { field: "user.mail", description: "is no address" },
        ],
        reason: "BAD_USER",
        domain: "here",
        retryAfterMs: 0,
      }),
    );
  const absent = () => Promise.reject(notFound({ resource: "users/7" }));

  it("compares the details it is told, and no others", async () => {
    const fields = ["user.name", "user.mail"];
    await assertStatus(detailed(), Code.InvalidArgument, {
      message: "no",
      reason: "BAD_USER",
      fields,
      retryAfterMs: 0,
    });
    await assertStatus(detailed(), Code.InvalidArgument, {});
    await assertStatus(absent(), Code.NotFound, { resource: "users/7", fields: [] });
  });

  const differing: readonly (readonly [ExpectedError, RegExp])[] = [
    [{ message: /yes/ }, /the message "no"/],
    [{ reason: "OTHER" }, /says "BAD_USER" as its reason/],
    [{ fields: ["user.name"] }, /says \["user.name","user.mail"\] as its fields/],
    [{ fields: ["user.mail", "user.name"] }, /as its fields/],
    [{ retryAfterMs: 1 }, /says 0 as its retryAfterMs/],
    [{ resource: "users/7" }, /says undefined as its resource/],
  ];
  for (const [expected, message] of differing) {
    it(`fails when ${Object.keys(expected)[0]} differs: ${message.source}`, async () => {
      await assert.rejects(assertStatus(detailed(), Code.InvalidArgument, expected), (error: Error) => {
        assert.ok(error instanceof AssertionError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("calls a function that throws, rejects or streams", async () => {
    const throwing = (): object => {
      throw notFound("here");
    };
    async function* streaming() {
      yield 1;
      throw notFound("here");
    }
    for (const call of [throwing, async () => throwing(), streaming]) await assertStatus(call, Code.NotFound, "here");
    await assert.rejects(
      assertStatus(() => ({ id: "1" }), Code.NotFound),
      /the call succeeded instead of failing with NotFound/,
    );
  });

  it("refuses an expectation that no one knows", async () => {
    const expected = { field: ["user.name"] } as ExpectedError;
    await assert.rejects(assertStatus(detailed(), Code.InvalidArgument, expected), /did you mean "fields"/);
  });

  it("reads a stream to its error", async () => {
    async function* stream() {
      yield 1;
      await failing();
    }
    await assertStatus(stream(), Code.NotFound);
  });
});

describe("createInMemoryTransport", () => {
  it("serves several channels, and tells where it stands", async () => {
    const health = createHealth();
    const transport = createInMemoryTransport({ routes: health.routes });
    assert.equal(transport.state, "idle");
    const other = transport.createChannel({ userAgentPrefix: "other" });
    await Promise.all([createClient(Health, transport).check({}), createClient(Health, other).check({})]);
    assert.equal(transport.state, "ready");
    assert.deepEqual(
      transport.server.services.map((service) => service.typeName),
      ["grpc.health.v1.Health"],
    );
    await other.close();
    await transport.close();
    assert.equal(transport.state, "shutdown");
  });

  it("refuses what servers and channels refuse", () => {
    const routes = () => {};
    assert.throws(() => createInMemoryTransport({ routes, serverOptions: { maxConcurrentStreams: 0 } }), RangeError);
    assert.throws(() => createInMemoryTransport({ routes, serverOptions: { clocks: 1 } as object }), /"clock"/);
    assert.throws(() => createInMemoryTransport({ routes, channelOptions: { format: "xml" as "json" } }), RangeError);
    assert.throws(
      () => createInMemoryTransport({ routes, channelOptions: { limits: { frames: { maxBytes: 1 } } } }),
      RangeError,
    );
  });

  it("fails calls after its close", async () => {
    const transport = createInMemoryTransport({ routes: createHealth().routes });
    const client = createClient(Health, transport);
    await client.check({});
    await transport.close();
    await assertStatus(client.check({}), Code.Canceled, /closed/);
  });
});

describe("createStubServer", () => {
  it("serves on a port of its own until it is closed", async () => {
    const stub = await createStubServer(createHealth().routes);
    assert.match(stub.target, /^127\.0\.0\.1:\d+$/);
    await createClient(Health, stub.transport).check({});
    assert.notEqual(stub.server.address, undefined);
    await stub.close();
    assert.equal(stub.server.address, undefined);
  });
});

describe("createTestContext", () => {
  const { check } = Health.method;

  it("is what a handler finds on a server", async () => {
    const peerTls = { certificate: undefined };
    const context = createTestContext(check, {
      header: { "x-tag": "sent" },
      timeoutMs: 1000,
      clock: createFakeClock(),
      peerAddress: "192.0.2.1:7",
      peerTls,
    });
    assert.deepEqual([context.service, context.method], [Health, check]);
    assert.equal(context.url, "http://localhost/grpc.health.v1.Health/Check");
    assert.equal(context.requestHeader.get("x-tag"), "sent");
    assert.equal(context.timeoutMs(), 1000);
    const info = context.values.get(callInfo);
    assert.deepEqual([info?.peerAddress, info?.peerTls, info?.endedBy], ["192.0.2.1:7", peerTls, undefined]);
    context.responseHeader.set("x-answer", "yes");
    context.responseTrailer.set("x-cost", "7");
    assert.deepEqual([context.responseHeader.get("x-answer"), context.responseTrailer.get("x-cost")], ["yes", "7"]);
    context.cancel();
  });

  it("has no deadline and ends never by itself, unless it is told to", () => {
    const context = createTestContext(check);
    assert.equal(context.timeoutMs(), undefined);
    assert.equal(context.values.get(callInfo)?.hasDeadline, false);
    assert.equal(context.signal.aborted, false);
    context.values.get(callInfo)?.shortenDeadline(60_000);
    assert.equal(context.values.get(callInfo)?.hasDeadline, true);
    context.cancel();
  });

  it("tells of its end, at once when it is over", () => {
    const context = createTestContext(check);
    const ends: (Code | undefined)[] = [];
    const listen = (): void => context.values.get(callInfo)?.whenOver(({ endedBy }) => ends.push(endedBy?.code));
    listen();
    assert.deepEqual(ends, []);
    context.cancel();
    assert.deepEqual(ends, [Code.Canceled]);
    listen();
    assert.deepEqual(ends, [Code.Canceled, Code.Canceled]);
  });

  it("passes its deadline on the clock, once", async () => {
    const clock = createFakeClock();
    const context = createTestContext(check, { timeoutMs: 1000, clock });
    await clock.advance(400);
    assert.equal(context.timeoutMs(), 600);
    context.values.get(callInfo)?.shortenDeadline(5000);
    assert.equal(context.timeoutMs(), 600);
    context.values.get(callInfo)?.shortenDeadline(100);
    await clock.advance(99);
    assert.equal(context.signal.aborted, false);
    await clock.advance(1);
    assert.equal(ConnectError.from(context.signal.reason).code, Code.DeadlineExceeded);
    assert.equal(context.values.get(callInfo)?.endedBy?.code, Code.DeadlineExceeded);
    assert.equal(clock.pendingTimers, 0);
  });

  it("is cancelled as by a client, and leaves no timer", () => {
    const clock = createFakeClock();
    const context = createTestContext(check, { timeoutMs: 1000, clock });
    context.cancel();
    context.cancel(new ConnectError("again", Code.Aborted));
    assert.equal(ConnectError.from(context.signal.reason).code, Code.Canceled);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(createTestContext(check, { timeoutMs: 0 }).signal.aborted, true);
  });

  it("refuses what it does not know", () => {
    assert.throws(() => createTestContext(check, { headers: {} } as never), /did you mean "header"/);
    assert.throws(() => createTestContext(check, { timeoutMs: -1 }), RangeError);
  });
});
