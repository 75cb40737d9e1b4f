// Which resets by a client are charged to it (CVE-2023-44487), and which are those of an honest one whose deadline has passed.
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createServer } from "@tercel/grpc";
import { createFakeClock } from "@tercel/grpc/testing";
import { createSocketPeer, type ScriptedPeer } from "@tercel/http2/testing";
import { aborted } from "@tercel/test-support/async";
import { echoRoutes, recordingLog } from "../support/open-echo.ts";

const cancel = 8;
const enhanceYourCalm = 11;

/** A client that writes frames by hand, and a server whose clock stands still. */
async function openScripted(test: TestContext): Promise<ScriptedPeer> {
  const routes = echoRoutes({
    async unary(_request, context) {
      await aborted(context.signal);
      return {};
    },
    clientStream: async () => ({}),
  });
  const server = createServer({ routes, clock: createFakeClock(), log: recordingLog().log });
  const { port } = await server.listen({ port: 0 });
  const socket = connect({ port, host: "127.0.0.1" });
  test.after(async () => {
    socket.destroy();
    await server.close({ deadlineMs: 0 });
  });
  await once(socket, "connect");
  const peer = createSocketPeer(socket, "client");
  peer.sendPreface();
  await peer.shakeHands();
  return peer;
}

function request(method: string, ...extra: readonly string[]): string[] {
  return [
    ...[":method", "POST", ":scheme", "http", ":path", `/tercel.grpc.test.v1.EchoService/${method}`],
    ...["content-type", "application/grpc", "te", "trailers", ...extra],
  ];
}

/** Opens and resets streams with the identifiers from `from` on. */
function openAndReset(peer: ScriptedPeer, from: number, count: number, fields: readonly string[]): void {
  for (let id = from; id < from + 2 * count; id += 2) {
    peer.sendHeaders(id, fields);
    peer.sendReset(id, cancel);
  }
}

describe("a client that resets its calls", () => {
  it("pays for those without a deadline", async (test) => {
    const peer = await openScripted(test);
    openAndReset(peer, 1, 1000, request("Unary"));
    await peer.expectAlive();
    openAndReset(peer, 2001, 1, request("Unary"));
    await peer.expectGoaway(enhanceYourCalm, "too_many_resets");
  });

  it("pays for those with more than 100 ms to their deadline", async (test) => {
    const peer = await openScripted(test);
    openAndReset(peer, 1, 1000, request("Unary", "grpc-timeout", "101m"));
    await peer.expectAlive();
    openAndReset(peer, 2001, 1, request("Unary", "grpc-timeout", "101m"));
    await peer.expectGoaway(enhanceYourCalm, "too_many_resets");
  });

  it("does not pay for those with 100 ms to their deadline or less", async (test) => {
    const peer = await openScripted(test);
    openAndReset(peer, 1, 2000, request("Unary", "grpc-timeout", "100m"));
    openAndReset(peer, 4001, 2000, request("Unary", "grpc-timeout", "1m"));
    await peer.expectAlive();
  });

  it("does not pay for those that were answered before, be it early or by a refusal", async (test) => {
    const peer = await openScripted(test);
    for (let id = 1; id < 2400; id += 4) {
      peer.sendHeaders(id, request("ClientStream"));
      peer.sendHeaders(id + 2, request("Unknown"));
      await peer.nextOf("RST_STREAM");
      await peer.nextOf("RST_STREAM");
      for (const each of [id, id + 2]) {
        peer.sendData(each, Buffer.of(0, 0, 0, 0, 0));
        peer.sendReset(each, cancel);
      }
    }
    await peer.expectAlive();
  });
});
