// S5 and gRFC A8: peers that are gone without a word are found out, and servers that want fewer pings get fewer.
import assert from "node:assert/strict";
import { createServer as createTcpServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer, type ServerOptions } from "@tercel/grpc";
import { createFakeClock, type FakeClock } from "@tercel/grpc/testing";
import { createFaultProxy, createSocketPeer, type ScriptedPeer } from "@tercel/http2/testing";
import { aborted, createOccasion, quiet } from "@tercel/test-support/async";
import { startGoPeer, withoutGo } from "@tercel/test-support/peers";
import { coreOf } from "../../src/channel/channel.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import type { ClientConnection } from "../../src/transport/client/client-connection.ts";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "../support/open-echo.ts";

const timeMs = 10_000;
const timeoutMs = 5000;
const stepMs = 250;

/** A call under way through a proxy, and occasions of both its ends. */
async function openThroughProxy(
  test: TestContext,
  options: { server?: Partial<ServerOptions>; channel?: ChannelOptions },
) {
  const entered = createOccasion();
  const serverNoticed = createOccasion<unknown>();
  const server = createServer({
    log: recordingLog().log,
    ...options.server,
    routes: echoRoutes({
      async unary(_request, { signal }) {
        entered.happen();
        serverNoticed.happen(await aborted(signal));
        return {};
      },
    }),
  });
  const proxy = await createFaultProxy({
    target: { host: "127.0.0.1", port: (await server.listen({ port: 0 })).port },
  });
  const channel = createChannel(`127.0.0.1:${proxy.address.port}`, options.channel);
  test.after(async () => {
    await proxy.close();
    await channel.close();
    await server.close({ deadlineMs: 0 });
  });
  const call = createClient(EchoService, channel)
    .unary({})
    .then(
      () => assert.fail("the call went well"),
      (reason: unknown) => ConnectError.from(reason),
    );
  await entered.happened;
  await quiet();
  return { proxy, call, channel, serverNoticed: serverNoticed.happened };
}

/** Moves time on until the promise is settled; how long that took. */
async function timeUntil(clock: FakeClock, settled: Promise<unknown>, atMostMs: number): Promise<number> {
  let isOver = false;
  settled.then(() => {
    isOver = true;
  });
  let elapsedMs = 0;
  for (; !isOver && elapsedMs < atMostMs; elapsedMs += stepMs) {
    await clock.advance(stepMs);
    await quiet();
  }
  assert.ok(isOver, `nothing was noticed within ${atMostMs} ms`);
  return elapsedMs;
}

function assertWithinTenth(actualMs: number, expectedMs: number): void {
  const isWithin = actualMs >= expectedMs * 0.9 && actualMs <= expectedMs * 1.1;
  assert.ok(isWithin, `noticed after ${actualMs} ms, not ${expectedMs} ms ±10 %`);
}

describe("a connection whose packets are lost", () => {
  it("is found out by a client with keepalive in time + timeout ±10 %, and its calls are Unavailable", async (t) => {
    const clock = createFakeClock();
    const channel = { clock, keepalive: { timeMs, timeoutMs } };
    const { proxy, call } = await openThroughProxy(t, { channel });
    proxy.blackHoleAll();
    const noticedMs = await timeUntil(clock, call, 60_000);
    assertWithinTenth(noticedMs, timeMs + timeoutMs);
    const error = await call;
    assert.equal(error.code, Code.Unavailable);
    assert.match(error.message, /keepalive/);
  });

  it("is found out in time + timeout by short calls with pauses between them, which all miss a ping's time", async (t) => {
    const clock = createFakeClock();
    const { proxy, call, channel } = await openThroughProxy(t, {
      channel: { clock, keepalive: { timeMs, timeoutMs }, defaultTimeoutMs: 200 },
    });
    await clock.advance(210);
    assert.equal((await call).code, Code.DeadlineExceeded);
    proxy.blackHoleAll();
    const client = createClient(EchoService, channel);
    const { accepted } = proxy;
    // Each call ends long before a tick that could see it open.
    for (let elapsedMs = 0; proxy.accepted === accepted; elapsedMs += 3000) {
      assert.ok(elapsedMs <= timeMs + timeoutMs + 2 * 3000, "the dead connection is still in use");
      const short = client.unary({ text: "short" }).then(
        () => undefined,
        () => undefined,
      );
      await quiet();
      await clock.advance(210);
      await short;
      await clock.advance(2790);
      await quiet();
    }
  });

  it("is found out by a server in time + timeout ±10 %, and its handlers are told", async (t) => {
    const clock = createFakeClock();
    const { proxy, serverNoticed, call } = await openThroughProxy(t, {
      server: { clock, keepalive: { timeMs, timeoutMs } },
    });
    proxy.blackHoleAll();
    const noticedMs = await timeUntil(clock, serverNoticed, 60_000);
    assertWithinTenth(noticedMs, timeMs + timeoutMs);
    proxy.resetAll();
    assert.equal((await call).code, Code.Unavailable);
  });

  it("is not taken for lost while the peer answers, however long a call takes", async (t) => {
    const clock = createFakeClock();
    const { proxy, call } = await openThroughProxy(t, {
      channel: { clock, keepalive: { timeMs, timeoutMs } },
      server: { keepaliveEnforcement: { minTimeMs: 0 } },
    });
    let isOver = false;
    call.then(() => {
      isOver = true;
    });
    for (let elapsedMs = 0; elapsedMs < 100_000; elapsedMs += 1000) {
      await clock.advance(1000);
      // The ping and its answer cross two sockets each.
      for (let at = 0; at < 5; at++) await quiet();
    }
    assert.equal(isOver, false);
    proxy.resetAll();
    assert.equal((await call).code, Code.Unavailable);
  });
});

describe("a channel whose server complains of too many pings", () => {
  it("asks half as often from then on, on its next connections, too", async (t) => {
    const clock = createFakeClock();
    const peers: ScriptedPeer[] = [];
    const sockets: Socket[] = [];
    const opened = [createOccasion(), createOccasion(), createOccasion()];
    const server = createTcpServer({ noDelay: true }, (socket) => {
      sockets.push(socket);
      const peer = createSocketPeer(socket, "server");
      peer.shakeHands().then(
        async () => {
          await peer.nextOf("HEADERS");
          opened[peers.length]?.happen();
          peers.push(peer);
        },
        () => {},
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { log, logged } = recordingLog();
    const channel = createChannel(`127.0.0.1:${port}`, { clock, log, keepalive: { timeMs, timeoutMs } });
    t.after(async () => {
      const closed = channel.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      await new Promise((resolve) => server.close(resolve));
    });
    const client = createClient(EchoService, channel);
    for (const [connection, expectedMs] of [timeMs, 2 * timeMs, 4 * timeMs].entries()) {
      client.unary({}).catch(() => {});
      await opened[connection]?.happened;
      const peer = peers[connection] as ScriptedPeer;
      await quiet();
      let pingedMs = 0;
      while (!peer.unread.some((frame) => frame.type === "PING") && pingedMs < 100_000) {
        await clock.advance(stepMs);
        await quiet();
        pingedMs += stepMs;
      }
      assertWithinTenth(pingedMs, expectedMs);
      // The reconnect behind it takes no pause, because this connection had become ready.
      peer.sendGoaway(1, 0xb, "too_many_pings");
      await quiet();
      sockets[connection]?.end();
      await quiet();
    }
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.keepaliveTimeMs]),
      [20_000, 40_000, 80_000].map((ms) => ["warn", ms]),
    );
  });
});

describe("pings on waking", { skip: withoutGo }, () => {
  it("are welcome to a grpc-go server, whose pings may be five minutes apart, because calls come with them", async (t) => {
    const clock = createFakeClock();
    const { port } = JSON.parse(await startGoPeer(t, "health-server").line());
    const channel = createChannel(`127.0.0.1:${port}`, { clock, keepalive: { timeMs, timeoutMs } });
    t.after(() => channel.close({ deadlineMs: 0 }));
    const client = createClient(Health, channel);
    const connectionsOf = (): ClientConnection[] =>
      [...(coreOf(channel)?.history.liveSubchannels() ?? [])].flatMap(({ openConnections = [] }) => [
        ...openConnections,
      ]);
    await client.check({});
    const connections = connectionsOf();
    // The third that came too early would end the connection.
    for (let calls = 0; calls < 8; calls++) {
      // Two turns of the clock's tick: what came with the last call, and the silence since.
      await clock.advance(1000);
      await clock.advance(timeMs);
      await client.check({});
    }
    assert.equal(connections[0]?.status?.().keepalivesSent, 8);
    assert.deepEqual(connectionsOf(), connections);
  });
});
