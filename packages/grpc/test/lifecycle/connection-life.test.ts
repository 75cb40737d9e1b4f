// The values that many gRPC examples show for servers (idle 15 s, age 30 s, grace 5 s), against a client of another make.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { createServer, type ServerOptions } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { echoRoutes, recordingLog } from "../support/open-echo.ts";

/** Connections are looked at once a second. */
const tickMs = 1000;

async function open(test: TestContext, options: Partial<ServerOptions>) {
  const clock = createFakeClock();
  const server = createServer({
    routes: echoRoutes({
      async *bidi(requests) {
        for await (const { text } of requests) yield { text };
      },
    }),
    clock,
    log: recordingLog().log,
    ...options,
  });
  const { port } = await server.listen({ port: 0 });
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  test.after(async () => {
    session.destroy();
    await server.close({ deadlineMs: 0 });
  });
  await once(session, "remoteSettings");
  await answered(session);
  let goaways = 0;
  session.on("goaway", () => goaways++);
  return { clock, session, goaways: () => goaways };
}

/** Whatever the server had written before has been read. */
function answered(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => session.settings({}, () => resolve()));
}

function openStream(session: ClientHttp2Session) {
  const stream = session.request({
    ":method": "POST",
    ":path": "/tercel.grpc.test.v1.EchoService/Bidi",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  return stream;
}

describe("a server's connection", () => {
  it("is drained when it has been idle for maxConnectionIdleMs, and not before", async (test) => {
    const { clock, session, goaways } = await open(test, { maxConnectionIdleMs: 15_000 });
    await clock.advance(15_000 - tickMs);
    await answered(session);
    assert.equal(goaways(), 0);
    const goaway = once(session, "goaway");
    await clock.advance(2 * tickMs);
    const [code, , debug] = (await goaway) as [number, number, Buffer];
    assert.deepEqual([code, debug.toString()], [constants.NGHTTP2_NO_ERROR, "max_idle"]);
  });

  it("is drained at maxConnectionAgeMs, and closed with its calls behind maxConnectionAgeGraceMs", async (test) => {
    const { clock, session, goaways } = await open(test, {
      maxConnectionIdleMs: 15_000,
      maxConnectionAgeMs: 30_000,
      maxConnectionAgeGraceMs: 5_000,
    });
    const stream = openStream(session);
    await answered(session);
    await clock.advance(27_000 - tickMs);
    await answered(session);
    assert.equal(goaways(), 0);
    const goaway = once(session, "goaway");
    const closed = once(stream, "close");
    // Step by step, because the age varies by a tenth: at its least, the grace would end before the age at its most.
    for (let waitedMs = 0; goaways() === 0 && waitedMs < 6_000 + 2 * tickMs; waitedMs += tickMs) {
      await clock.advance(tickMs);
      await answered(session);
    }
    const [code, , debug] = (await goaway) as [number, number, Buffer];
    assert.deepEqual([code, debug.toString()], [constants.NGHTTP2_NO_ERROR, "max_age"]);
    assert.equal(stream.closed, false);
    await clock.advance(5_000 + 2 * tickMs);
    await closed;
  });

  it("is pinged after keepalive.timeMs of silence, also without calls", async (test) => {
    const { clock, session } = await open(test, { keepalive: { timeMs: 5_000, timeoutMs: 1_000 } });
    const pinged = once(session, "ping");
    await clock.advance(5_000 + tickMs);
    await pinged;
    await answered(session);
    assert.equal(session.closed, false);
  });
});
