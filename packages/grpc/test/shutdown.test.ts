import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Clock, createChannel, createServer } from "@tercel/grpc";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { aborted, collect, createOccasion, quiet } from "@tercel/test-support/async";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, openInMemory, overBothTransports, recordingLog } from "./support/open-echo.ts";

function heldCall() {
  const entered = createOccasion();
  const release = createOccasion();
  const handlers: EchoHandlers = {
    async unary() {
      entered.happen();
      await release.happened;
      return { text: "finished" };
    },
    async *serverStream(_request, context) {
      yield { text: "first" };
      entered.happen();
      await Promise.race([release.happened, aborted(context.signal)]);
      yield { text: "last" };
    },
  };
  return { handlers, entered: entered.happened, release: release.happen };
}

describe("a server under load", () => {
  overBothTransports((open) => {
    it("tells how many connections and calls are open", async (t) => {
      const { handlers, entered, release } = heldCall();
      const { client, server, transport } = await open(t, handlers);
      assert.deepEqual([server.openConnections, server.openCalls], [0, 0]);
      const calls = [client.unary({}), collect(client.serverStream({}))];
      await entered;
      await quiet();
      assert.deepEqual([server.openConnections, server.openCalls], [1, 2]);
      release();
      await Promise.all(calls);
      await quiet();
      assert.deepEqual([server.openConnections, server.openCalls], [1, 0]);
      await transport.close();
      await quiet();
      assert.deepEqual([server.openConnections, server.openCalls], [0, 0]);
    });
  });
});

describe("a server that closes", () => {
  overBothTransports((open) => {
    it("lets calls in flight end well, unary and stream, before it resolves", async (t) => {
      const { handlers, entered, release } = heldCall();
      const { client, server } = await open(t, handlers);
      const unary = client.unary({});
      const stream = collect(client.serverStream({}));
      await entered;
      await quiet();
      let isClosed = false;
      const closing = server.close().then(() => {
        isClosed = true;
      });
      await quiet();
      assert.equal(isClosed, false);
      release();
      assert.equal((await unary).text, "finished");
      assert.deepEqual(
        (await stream).map((response) => response.text),
        ["first", "last"],
      );
      await closing;
    });

    it("cancels what is left at its deadline, and aborts the handlers' signals", async (t) => {
      const clock = createFakeClock();
      const reason = createOccasion<unknown>();
      const entered = createOccasion();
      const { client, server } = await open(
        t,
        {
          async unary(_request, context) {
            entered.happen();
            reason.happen(await aborted(context.signal));
            return {};
          },
        },
        { server: { clock } },
      );
      const failing = assertStatus(client.unary({}), Code.Unavailable, {
        message: /^the peer closed the connection: the server shut down \(NO_ERROR\)/,
      });
      await entered.happened;
      const closing = server.close({ deadlineMs: 500 });
      await quiet();
      await clock.advance(499);
      await quiet();
      await clock.advance(1);
      await failing;
      const { rawMessage } = ConnectError.from(await reason.happened);
      assert.equal(rawMessage, "the connection was closed: the server shut down");
      await closing;
    });

    it("may be told again, with a shorter deadline, and keeps both promises", async (t) => {
      const { handlers, entered, release } = heldCall();
      const { client, server } = await open(t, handlers);
      const failing = assertStatus(client.unary({}), Code.Unavailable);
      await entered;
      const first = server.close({ deadlineMs: 60_000 });
      await quiet();
      const second = server.close({ deadlineMs: 0 });
      await failing;
      await Promise.all([first, second, server.close()]);
      release();
    });

    it("without calls is closed at once", async (t) => {
      const { client, server } = await open(t, { unary: () => ({}) });
      await client.unary({});
      await server.close();
    });
  });

  it("in memory holds the process for those who wait, as no socket does", async (t) => {
    const clock = createFakeClock();
    const deadlineMs = 4321;
    let holdsProcess: boolean | undefined;
    const seeing: Clock = {
      nowMs: () => clock.nowMs(),
      after(delayMs, run, holds) {
        if (delayMs === deadlineMs) holdsProcess = holds;
        return clock.after(delayMs, run, holds);
      },
    };
    const { handlers, entered, release } = heldCall();
    const { client, server } = await openInMemory(t, handlers, { server: { clock: seeing } });
    const call = client.unary({});
    await entered;
    const closed = server.close({ deadlineMs });
    release();
    await Promise.all([call, closed]);
    assert.equal(holdsProcess, true);
  });

  it("refuses what comes later, and a channel that knows another server goes there without losing a call", async () => {
    const make = async (name: string) => {
      const server = createServer({ routes: echoRoutes({ unary: () => ({ text: name }) }), log: recordingLog().log });
      return { server, address: await server.listen({ port: 0 }) };
    };
    const a = await make("a");
    const b = await make("b");
    const channel = createChannel(`static:///127.0.0.1:${a.address.port},127.0.0.1:${b.address.port}`);
    const client = createClient(EchoService, channel);
    assert.equal((await client.unary({})).text, "a");
    let isRunning = true;
    const texts: string[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (isRunning) texts.push((await client.unary({})).text);
    });
    await quiet();
    await a.server.close();
    while (texts.at(-1) !== "b") await quiet();
    isRunning = false;
    await Promise.all(load);
    assert.equal(texts.at(-1), "b");
    await channel.close();
    await b.server.close();

    const late = createChannel(`127.0.0.1:${a.address.port}`);
    await assertStatus(createClient(EchoService, late).unary({}), Code.Unavailable, /ECONNREFUSED/);
    await late.close();
  });
});

describe("a channel that closes", () => {
  overBothTransports((open) => {
    it("lets its open calls end, and refuses new ones", async (t) => {
      const { handlers, entered, release } = heldCall();
      const { client, transport } = await open(t, handlers);
      const call = client.unary({});
      await entered;
      const closing = transport.close();
      await assertStatus(client.unary({}), Code.Canceled, /closed/);
      await assertStatus(client.serverStream({}), Code.Canceled, /closed/);
      release();
      assert.equal((await call).text, "finished");
      await closing;
      assert.equal(transport.state, "shutdown");
    });
  });
});
