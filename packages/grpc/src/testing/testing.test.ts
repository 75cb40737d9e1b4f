import assert, { AssertionError } from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "../services/index.ts";
import { assertStatus, createFakeClock, createInMemoryTransport, createStubServer } from "./index.ts";

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
      () => createInMemoryTransport({ routes, channelOptions: { limits: { maxFrameBytes: 1 } } }),
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
