// S2: a server that goes away between any two frames of its answers. Whatever it had begun, each call ends in one status.
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { createSocketPeer, type ScriptedPeer } from "@tercel/http2/testing";
import { EchoResponseSchema, EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { framed } from "../support/raw-client.ts";

const calls = 52;
const message = framed(toBinary(EchoResponseSchema, create(EchoResponseSchema, { text: "hello" })));
const head = [":status", "200", "content-type", "application/grpc"];

type Send = (peer: ScriptedPeer, streamId: number) => void;
const answer: readonly Send[] = [
  (peer, streamId) => peer.sendHeaders(streamId, head),
  (peer, streamId) => peer.sendData(streamId, message.subarray(0, 3)),
  (peer, streamId) => peer.sendData(streamId, message.subarray(3)),
  (peer, streamId) => peer.sendHeaders(streamId, ["grpc-status", "0"], { endStream: true }),
];

/** All frames of all answers, so that at any time up to four calls are at different points of theirs. */
const script: readonly { readonly call: number; readonly send: Send }[] = Array.from(
  { length: calls + answer.length - 1 },
  (_, time) => answer.flatMap((send, step) => ({ call: time - step, send })),
)
  .flat()
  .filter(({ call }) => call >= 0 && call < calls);

/** How many of the script's frames each call has got before a position. */
function framesBefore(position: number): number[] {
  const frames = new Array<number>(calls).fill(0);
  for (const { call } of script.slice(0, position)) frames[call] = (frames[call] ?? 0) + 1;
  return frames;
}

const streamOf = (call: number): number => 2 * call + 1;

/** A server that plays a part for its first connection, and answers everything on those that follow. */
async function openGoing(play: (peer: ScriptedPeer, socket: Socket) => void) {
  let connections = 0;
  let answeredLater = 0;
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    const isFirst = connections++ === 0;
    const peer = createSocketPeer(socket, "server");
    const run = async (): Promise<void> => {
      await peer.shakeHands({ maxConcurrentStreams: calls });
      for (let requests = 0; ; requests++) {
        if (isFirst && requests === calls) {
          play(peer, socket);
          return;
        }
        const frame = await peer.nextOf("DATA");
        if (isFirst || !frame.endStream) continue;
        answeredLater++;
        for (const send of answer) send(peer, frame.streamId);
      }
    };
    // It ends when the client has closed the connection.
    run().catch(() => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const channel = createChannel(`127.0.0.1:${(server.address() as { port: number }).port}`);
  return {
    client: createClient(EchoService, channel),
    answeredLater: () => answeredLater,
    async close(): Promise<void> {
      await channel.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Makes all the calls, and says how each has ended: undefined for well. */
async function outcomes(client: Awaited<ReturnType<typeof openGoing>>["client"]): Promise<(Code | undefined)[]> {
  const settled = Array.from({ length: calls }, () => 0);
  const codes = await Promise.all(
    settled.map((_, call) =>
      client.unary({}).then(
        (response) => {
          assert.equal(response.text, "hello");
          settled[call] = (settled[call] ?? 0) + 1;
          return undefined;
        },
        (reason: unknown) => {
          settled[call] = (settled[call] ?? 0) + 1;
          return ConnectError.from(reason).code;
        },
      ),
    ),
  );
  assert.deepEqual(new Set(settled), new Set([1]));
  return codes;
}

describe(`a server that goes away at any of the ${script.length + 1} frame boundaries of its answers`, () => {
  it("has at least 200 of them", () => assert.ok(script.length >= 200));

  it("and then ends what it began loses no call: the others are made once more, elsewhere", async () => {
    for (let position = 0; position <= script.length; position++) {
      const begun = framesBefore(position).filter((frames) => frames > 0).length;
      const server = await openGoing((peer) => {
        for (const { call, send } of script.slice(0, position)) send(peer, streamOf(call));
        peer.sendGoaway(begun === 0 ? 0 : streamOf(begun - 1), 0, "restart");
        for (const { call, send } of script.slice(position)) if (call < begun) send(peer, streamOf(call));
      });
      const codes = await outcomes(server.client);
      await server.close();
      assert.deepEqual(new Set(codes), new Set([undefined]), `at ${position}`);
      assert.equal(server.answeredLater(), calls - begun, `at ${position}: calls made once more`);
    }
  });

  it("and at once breaks the connection fails what it had begun, with Unavailable, and nothing else", async () => {
    for (let position = 0; position <= script.length; position++) {
      const frames = framesBefore(position);
      const begun = frames.filter((count) => count > 0).length;
      const server = await openGoing((peer, socket) => {
        for (const { call, send } of script.slice(0, position)) send(peer, streamOf(call));
        peer.sendGoaway(begun === 0 ? 0 : streamOf(begun - 1), 0, "crash");
        socket.end();
      });
      const codes = await outcomes(server.client);
      await server.close();
      const expected = frames.map((count) => (count === 0 || count === answer.length ? undefined : Code.Unavailable));
      assert.deepEqual(codes, expected, `at ${position}`);
      assert.equal(server.answeredLater(), calls - begun, `at ${position}: calls made once more`);
    }
  });

  it("by an RST instead of a GOAWAY fails every call that is not over, and repeats none", async () => {
    for (let position = 0; position <= script.length; position += 9) {
      const frames = framesBefore(position);
      const server = await openGoing((peer, socket) => {
        for (const { call, send } of script.slice(0, position)) send(peer, streamOf(call));
        // Once the client has read what came before: an RST may overtake it.
        peer.sendPing();
        peer.nextOf("PING").then(() => socket.resetAndDestroy());
      });
      const codes = await outcomes(server.client);
      await server.close();
      const expected = frames.map((count) => (count === answer.length ? undefined : Code.Unavailable));
      assert.deepEqual(codes, expected, `at ${position}`);
      assert.equal(server.answeredLater(), 0, `at ${position}`);
    }
  });
});
