import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, explainError } from "@tercel/grpc";
import type { CallExplanation } from "@tercel/grpc/hooks";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { createOccasion, quiet, streamOf } from "@tercel/test-support/async";
import type { ResolverListener } from "../src/channel/resolver/index.ts";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, openInMemory, openOverSocket } from "./support/open-echo.ts";

const method = "/tercel.grpc.test.v1.EchoService/Unary";

function explained(error: unknown): CallExplanation {
  return explainError(error) ?? assert.fail("the error has no explanation");
}

/** A channel whose resolver the test speaks for, on a clock that stands still. */
function openScripted(t: TestContext, options: ChannelOptions = {}) {
  const clock = createFakeClock();
  const occasion = createOccasion<ResolverListener>();
  const channel = createChannel("scripted:///x", {
    clock,
    resolvers: [
      {
        scheme: "scripted",
        create(_target, listener) {
          occasion.happen(listener);
          return { resolveNow() {}, close() {} };
        },
      },
    ],
    ...options,
  });
  t.after(() => channel.close());
  return { clock, channel, client: createClient(EchoService, channel), resolving: occasion.happened };
}

describe("the explanation of a failed call", () => {
  it("says that the name was not resolved in time", async (t) => {
    const { client, clock, resolving } = openScripted(t);
    const failing = assertStatus(
      client.unary({}, { timeoutMs: 100 }),
      Code.DeadlineExceeded,
      /^the deadline has passed while waiting for a connection to "scripted:\/\/\/x": resolving the name \(1\d\d ms: resolve 1\d\d\)$/,
    );
    await resolving;
    await clock.advance(110);
    const explanation = explained(await failing);
    assert.equal(explanation.phase, "resolve");
    assert.equal(explanation.target, "scripted:///x");
    assert.equal(explanation.method, method);
    assert.equal(explanation.status, "DEADLINE_EXCEEDED");
    assert.equal(explanation.timeoutMs, 100);
    assert.deepEqual(explanation.resolver, { scheme: "scripted" });
    assert.deepEqual(
      explanation.attempts.map(({ endpoint }) => endpoint),
      [undefined],
    );
  });

  it("tells how long resolving and how long connecting took, and the state of each endpoint", async (t) => {
    const { client, channel, clock, resolving } = openScripted(t, { waitForReady: true });
    const failing = assertStatus(client.unary({}, { timeoutMs: 100 }), Code.DeadlineExceeded);
    const listener = await resolving;
    await clock.advance(40);
    listener.onResult({ endpoints: [{ addresses: [{ path: "/nowhere/tercel.sock" }] }] });
    // Until the attempt to connect has failed.
    while (channel.state !== "transient_failure") await quiet();
    await clock.advance(70);
    const explanation = explained(await failing);
    assert.equal(explanation.phase, "connect");
    assert.equal(Math.round(explanation.phases[0]?.ms ?? 0), 40);
    assert.deepEqual(
      explanation.phases.map(({ phase }) => phase),
      ["resolve", "connect"],
    );
    assert.equal(explanation.resolver.endpoints, 1);
    assert.equal(explanation.state, "transient_failure");
    assert.equal(explanation.policy, "pick_first");
    const [endpoint] = explanation.endpoints;
    assert.equal(endpoint?.address, "unix:/nowhere/tercel.sock");
    assert.match(endpoint?.lastError ?? "", /ENOENT/);
    assert.match(explanation.line, /^\/tercel.*resolve 40, connect \d\d\b.*unix:\/nowhere\/tercel\.sock/);
  });

  it("says that all places on the connection were taken", async (t) => {
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      { unary: () => new Promise(() => {}) },
      {
        server: { maxConcurrentStreams: 1 },
        channel: { clock, serviceConfig: { connectionScaling: { maxConnectionsPerSubchannel: 1 } } },
      },
    );
    const blocking = client.unary({});
    blocking.catch(() => {});
    await quiet();
    const failing = assertStatus(
      client.unary({}, { timeoutMs: 100 }),
      Code.DeadlineExceeded,
      /has reached its limit of concurrent calls/,
    );
    await clock.advance(110);
    assert.equal(explained(await failing).phase, "pick");
  });

  it("says that the server did not take the request", async (t) => {
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      // A handler that reads nothing: the window of its stream stays closed.
      { clientStream: () => new Promise(() => {}) },
      { channel: { clock } },
    );
    async function* endless() {
      for (;;) yield { payload: new Uint8Array(60_000) };
    }
    const failing = assertStatus(
      client.clientStream(endless(), { timeoutMs: 100 }),
      Code.DeadlineExceeded,
      /while sending the request to in-memory:80, which has stopped reading it \(\d+ bytes are left\)/,
    );
    await quiet();
    await clock.advance(110);
    assert.equal(explained(await failing).phase, "send");
  });

  it("says that no response came, from whom, and what was sent before", async (t) => {
    const clock = createFakeClock();
    const entered = createOccasion();
    const handlers: EchoHandlers = {
      unary() {
        entered.happen();
        return new Promise(() => {});
      },
    };
    const { client } = await openOverSocket(t, handlers, { channel: { clock } });
    const call = client.unary({}, { timeoutMs: 100 });
    const failing = assertStatus(call, Code.DeadlineExceeded, /while waiting for the response of 127\.0\.0\.1:\d+ \(/);
    await entered.happened;
    await clock.advance(110);
    const explanation = explained(await failing);
    assert.equal(explanation.phase, "first byte");
    assert.match(explanation.attempts[0]?.endpoint ?? "", /^127\.0\.0\.1:/);
    assert.deepEqual(JSON.parse(JSON.stringify(explanation)), structuredClone({ ...explanation }));
  });

  it("says that the response had begun", async (t) => {
    const clock = createFakeClock();
    const { client } = await openInMemory(
      t,
      {
        async *serverStream() {
          yield { text: "first" };
          await new Promise(() => {});
        },
      },
      { channel: { clock } },
    );
    const responses = client.serverStream({}, { timeoutMs: 100 })[Symbol.asyncIterator]();
    await responses.next();
    const failing = assertStatus(
      responses.next(),
      Code.DeadlineExceeded,
      /while receiving the response of in-memory:80/,
    );
    await clock.advance(110);
    assert.equal(explained(await failing).phase, "receive");
  });

  it("names the server whose connection was lost", async (t) => {
    const { client, transport } = await openInMemory(t, { unary: () => new Promise(() => {}) });
    const failing = assertStatus(client.unary({}), Code.Unavailable, /while waiting for the response of in-memory:80/);
    await quiet();
    (transport as unknown as { cutConnections(): void }).cutConnections();
    assert.equal(explained(await failing).phase, "first byte");
  });

  it("is there for a status of the server, whose message stays as it was", async (t) => {
    const { client } = await openInMemory(t, {
      unary: () => {
        throw new ConnectError("nothing here", Code.NotFound);
      },
    });
    const error = await assertStatus(client.unary({}), Code.NotFound, "nothing here");
    assert.equal(explained(error).attempts[0]?.message, "nothing here");
    assert.match(explained(error).line, /failed with NOT_FOUND after \d+ ms .*; sent to in-memory:80; channel ready/);
  });

  it("is found behind an error that has the call's as its cause, and nowhere else", async (t) => {
    const { client } = await openInMemory(t, {
      unary: () => {
        throw new ConnectError("nothing here", Code.NotFound);
      },
    });
    const error = await assertStatus(client.unary({}), Code.NotFound);
    assert.equal(explainError(new Error("wrapped", { cause: error })), explained(error));
    assert.equal(explainError(new Error("another")), undefined);
    assert.equal(explainError(undefined), undefined);
    const circular = new Error("circular");
    circular.cause = circular;
    assert.equal(explainError(circular), undefined);
  });

  it("stays where the call was made: what is sent to others has nothing of it", async (t) => {
    const { client } = await openInMemory(t, {
      unary: () => {
        throw new ConnectError("nothing here", Code.NotFound);
      },
    });
    const error = await assertStatus(client.unary({}), Code.NotFound);
    assert.equal(JSON.stringify([...error.metadata]).includes("in-memory"), false);
    assert.equal(JSON.stringify(error).includes("in-memory"), false);
  });
});

describe("channel.explain", () => {
  it("tells state, endpoints, calls and the latest errors", async (t) => {
    const { client, transport } = await openInMemory(t, {
      unary: ({ text }) => {
        if (text === "bad") throw new ConnectError("no", Code.InvalidArgument);
        return { text };
      },
    });
    const before = transport.explain();
    assert.equal(before.state, "idle");
    assert.equal(before.policy, undefined);
    await client.unary({ text: "good" });
    await assertStatus(client.unary({ text: "bad" }), Code.InvalidArgument);
    await assertStatus(client.unary({ text: "bad" }), Code.InvalidArgument);
    await client.clientStream(streamOf()).catch(() => {});
    const { state, policy, endpoints, calls, lastErrors, resolver, line } = transport.explain();
    assert.equal(state, "ready");
    assert.equal(policy, "pick_first");
    assert.equal(resolver.endpoints, 1);
    assert.deepEqual(endpoints, [{ address: "in-memory:80", state: "ready", openCalls: 0, failedAttempts: 0 }]);
    assert.deepEqual(calls, { waiting: 0, open: 0, started: 4, succeeded: 1, failed: 3 });
    assert.deepEqual(
      lastErrors.map(({ status, count }) => [status, count]),
      [
        ["UNIMPLEMENTED", 1],
        ["INVALID_ARGUMENT", 2],
      ],
    );
    assert.match(line, /channel ready \(pick_first\); static: 1 endpoint found .* 1 succeeded, 3 failed; last error/);
  });
});
