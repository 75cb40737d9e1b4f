// RFC 9113 section 8.1: a server that answers before the request has ended may reset the stream with NO_ERROR, and only then.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createServer } from "@tercel/grpc";
import { ErrorCode } from "@tercel/http2";
import { createSocketPeer, type ScriptedPeer } from "@tercel/http2/testing";
import { recordingLog } from "./support/open-echo.ts";

/** Not gRPC: refused as soon as the head is there. */
const get = [":method", "GET", ":scheme", "http", ":path", "/"];

async function openPeer(t: TestContext): Promise<ScriptedPeer> {
  const server = createServer({ routes() {}, log: recordingLog().log });
  const { port } = await server.listen({ port: 0 });
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const peer = createSocketPeer(socket, "client");
  t.after(async () => {
    socket.destroy();
    await peer.whenClosed();
    await server.close({ deadlineMs: 0 });
  });
  peer.sendPreface();
  await peer.shakeHands();
  return peer;
}

describe("a request that is refused", () => {
  it("and has ended with its head is answered without a reset, and what still comes on it is STREAM_CLOSED", async (t) => {
    const peer = await openPeer(t);
    peer.sendHeaders(1, get, { endStream: true });
    await peer.nextOf("HEADERS");
    await peer.nextOf("DATA");
    await peer.expectNothingMore();
    peer.sendData(1, "late");
    await peer.expectReset(1, ErrorCode.streamClosed);
  });

  it("before its end is answered and reset with NO_ERROR, and what crosses the reset is ignored", async (t) => {
    const peer = await openPeer(t);
    peer.sendHeaders(1, get);
    await peer.nextOf("HEADERS");
    await peer.nextOf("DATA");
    await peer.expectReset(1, ErrorCode.noError);
    peer.sendData(1, "late");
    await peer.expectAlive();
  });
});
