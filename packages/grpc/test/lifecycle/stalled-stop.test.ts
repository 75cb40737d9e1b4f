// S3: a client that takes nothing cannot hold a server that stops.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { createServer } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { createSocketPeer } from "@tercel/http2/testing";
import { createOccasion, quiet } from "@tercel/test-support/async";
import { echoRoutes, recordingLog } from "../support/open-echo.ts";

const request = [
  ...[":method", "POST", ":scheme", "http", ":path", "/tercel.grpc.test.v1.EchoService/ServerStream"],
  ...["content-type", "application/grpc", "te", "trailers"],
];
const graceMs = 5000;

describe("a server that stops while a stream is stalled", () => {
  for (const [what, initialWindowSize] of [
    ["gives no window", 1000],
    ["does not read its socket", 2 ** 31 - 1],
  ] as const) {
    it(`because its client ${what} is closed within its grace and a second`, async (t) => {
      const clock = createFakeClock();
      const sent = createOccasion();
      const aborted = createOccasion();
      const server = createServer({
        clock,
        log: recordingLog().log,
        routes: echoRoutes({
          async *serverStream(_request, { signal }) {
            signal.addEventListener("abort", () => aborted.happen());
            // It waits as soon as windows and buffers are full.
            for (;;) {
              sent.happen();
              yield { text: "x".repeat(60_000) };
            }
          },
        }),
      });
      const { port } = await server.listen({ port: 0 });
      const socket = connect(port, "127.0.0.1");
      t.after(() => socket.destroy());
      await once(socket, "connect");
      const peer = createSocketPeer(socket, "client");
      peer.sendPreface();
      await peer.shakeHands({ initialWindowSize });
      peer.sendWindowUpdate(0, 2 ** 31 - 1 - 65_535);
      if (initialWindowSize > 1000) socket.pause();
      peer.sendHeaders(1, request);
      peer.sendData(1, new Uint8Array(5), { endStream: true });
      await sent.happened;
      await quiet();

      let isClosed = false;
      const closing = server.close({ deadlineMs: graceMs }).then(() => {
        isClosed = true;
      });
      await quiet();
      await clock.advance(graceMs - 1);
      await quiet();
      assert.equal(isClosed, false, "it waits for the call as long as it may");
      await clock.advance(1);
      await aborted.happened;
      await clock.advance(1000);
      await closing;
      assert.equal(clock.pendingTimers, 0);
    });
  }
});
