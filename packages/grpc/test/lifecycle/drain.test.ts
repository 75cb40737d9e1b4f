// What a server that closes says to each kind of connection. The engine's side of it is in packages/http2/test/goaway.test.ts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createServer } from "@tercel/grpc";
import { createSocketPeer } from "@tercel/http2/testing";
import { createOccasion, quiet } from "@tercel/test-support/async";
import { type EchoHandlers, echoRoutes } from "../support/open-echo.ts";

const lastOfAll = 2 ** 31 - 1;
const request = [
  ...[":method", "POST", ":scheme", "http", ":path", "/tercel.grpc.test.v1.EchoService/Unary"],
  ...["content-type", "application/grpc", "te", "trailers"],
];

async function openRaw(test: TestContext, handlers: EchoHandlers) {
  const server = createServer({ routes: echoRoutes(handlers) });
  const { port } = await server.listen({ port: 0 });
  const sockets: Socket[] = [];
  test.after(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close({ deadlineMs: 0 });
  });
  return {
    server,
    async connect(): Promise<Socket> {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      sockets.push(socket);
      await once(socket, "connect");
      return socket;
    },
  };
}

describe("a server that closes", () => {
  it("says that it goes, serves what crosses that, names its last stream, and ends when that is answered", async (t) => {
    const release = createOccasion();
    const { server, connect } = await openRaw(t, {
      async unary() {
        await release.happened;
        return {};
      },
    });
    const peer = createSocketPeer(await connect(), "client");
    peer.sendPreface();
    await peer.shakeHands();
    const call = (streamId: number): void => {
      peer.sendHeaders(streamId, request);
      peer.sendData(streamId, new Uint8Array(5), { endStream: true });
    };
    call(1);
    // The server's answer tells that it has the request.
    await peer.expectAlive();
    const closing = server.close();
    assert.equal((await peer.expectGoaway(0, "shutdown")).lastStreamId, lastOfAll);
    const ping = await peer.nextOf("PING");
    call(3);
    peer.sendPing(ping.payload, { ack: true });
    assert.equal((await peer.expectGoaway(0, "shutdown")).lastStreamId, 3);
    call(5);
    await peer.expectNothingMore();
    release.happen();
    const answered: number[] = [];
    for (let at = 0; at < 4; at++) answered.push((await peer.nextOf("HEADERS")).streamId);
    assert.deepEqual(new Set(answered), new Set([1, 3]), "two heads and two trailers, and nothing of stream 5");
    await peer.whenClosed();
    await closing;
  });

  it("shuts a connection that has not said yet what it speaks", async (t) => {
    const { server, connect } = await openRaw(t, {});
    const silent = await connect();
    // The server has accepted it by then.
    const other = createSocketPeer(await connect(), "client");
    other.sendPreface();
    await other.shakeHands();
    const closed = once(silent, "close");
    silent.on("error", () => {});
    silent.resume();
    const closing = server.close();
    await closed;
    await other.expectGoaway(0, "shutdown");
    other.sendPing((await other.nextOf("PING")).payload, { ack: true });
    await closing;
  });

  it("shuts a connection that the system had taken and it had not", async (t) => {
    const { server, connect } = await openRaw(t, {});
    // In the same turn, so that the connection waits in the listening socket's queue when that is closed.
    const late = connect();
    const closing = server.close();
    await closing;
    const outcome = await late.then(
      async (socket) => {
        socket.on("error", () => {});
        socket.resume();
        if (!socket.destroyed) await once(socket, "close");
        return "shut";
      },
      (error: NodeJS.ErrnoException) => error.code,
    );
    assert.ok(outcome === "shut" || outcome === "ECONNRESET" || outcome === "ECONNREFUSED", outcome);
    await quiet();
  });
});
