import assert from "node:assert/strict";
import {
  constants,
  createServer,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { EchoResponseSchema, EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { framed } from "./support/raw-client.ts";

const message = framed(toBinary(EchoResponseSchema, create(EchoResponseSchema, { text: "hello" })));
const head = { ":status": 200, "content-type": "application/grpc" };

type Answer = (stream: ServerHttp2Stream) => void;

/** A server that does to each request what the test says, and a client that calls it. */
async function openClient(
  test: TestContext,
  answer: Answer,
  options: ChannelOptions = {},
): Promise<Client<typeof EchoService>> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.resume();
    answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const channel = createChannel(`127.0.0.1:${port}`, options);
  test.after(async () => {
    await channel.close();
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return createClient(EchoService, channel);
}

const frameType = { data: 0x0, headers: 0x1, rstStream: 0x3, settings: 0x4, goaway: 0x7 };
const flagEndHeaders = 0x4;

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  return Buffer.concat([uint32(payload.length).subarray(1), Uint8Array.of(type, flags), uint32(streamId), payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** By RFC 7541: ":status: 200" from the static table, and content-type, its name from there as well, as literals. */
const encodedHead = Buffer.concat([
  Uint8Array.of(0x88, 0x0f, 0x10, "application/grpc".length),
  Buffer.from("application/grpc"),
]);

/** A server that answers the first request with these frames, which no library would write for us. */
async function openByFrames(test: TestContext, answer: readonly Buffer[]): Promise<Client<typeof EchoService>> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.write(frame(frameType.settings, 0, 0, new Uint8Array()));
    const received: Buffer[] = [];
    const onData = (chunk: Buffer): void => {
      received.push(chunk);
      if (!hasHeadersFrame(Buffer.concat(received))) return;
      socket.off("data", onData).resume();
      for (const part of answer) socket.write(part);
    };
    socket.on("data", onData);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const channel = createChannel(`127.0.0.1:${port}`);
  test.after(async () => {
    await channel.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return createClient(EchoService, channel);
}

function hasHeadersFrame(bytes: Buffer): boolean {
  const prefaceBytes = 24;
  for (let at = prefaceBytes; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === frameType.headers) return true;
  }
  return false;
}

/** Head, bytes, trailers: the shape of a gRPC response, with anything in it. */
function respond(headers: OutgoingHttpHeaders, body: readonly Uint8Array[], trailers: OutgoingHttpHeaders): Answer {
  return (stream) => {
    stream.respond(headers, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    for (const part of body) stream.write(part);
    stream.end();
  };
}

/** A head that ends the response. */
function alone(headers: OutgoingHttpHeaders): Answer {
  return (stream) => stream.respond(headers, { endStream: true });
}

describe("a client's verdict on a response", () => {
  it("that is in order is the message", async (t) => {
    const client = await openClient(t, respond(head, [message], { "grpc-status": "0" }));
    assert.equal((await client.unary({})).text, "hello");
    assert.equal((await collect(client.serverStream({}))).length, 1);
  });

  const verdicts: [string, Answer, Code, RegExp?][] = [
    ["of no message and status OK", respond(head, [], { "grpc-status": "0" }), Code.Unimplemented],
    ["of a head alone with status OK", alone({ ...head, "grpc-status": "0" }), Code.Unimplemented],
    ["of two messages", respond(head, [message, message], { "grpc-status": "0" }), Code.Unimplemented],
    ["without trailers", (stream) => respondWithoutTrailers(stream), Code.Internal, /grpc-status/],
    ["of a head alone without status", alone(head), Code.Internal, /grpc-status/],
    ["with trailers but no status in them", respond(head, [message], { "x-other": "1" }), Code.Internal, /grpc-status/],
    [
      "with a status in the head, a message, and no trailers",
      (stream) => respondWithoutTrailers(stream, { ...head, "grpc-status": "0" }),
      Code.Internal,
      /grpc-status/,
    ],
    [
      "with OK in the head and an error in the trailers",
      respond({ ...head, "grpc-status": "0" }, [message], { "grpc-status": "5", "grpc-message": "gone" }),
      Code.NotFound,
      /^gone$/,
    ],
    ["with a message and an error", respond(head, [message], { "grpc-status": "10" }), Code.Aborted, /^$/],
    ["with a status beyond the list", respond(head, [message], { "grpc-status": "17" }), Code.Unknown],
    ["with a status that is no number", respond(head, [message], { "grpc-status": "OK" }), Code.Unknown],
    ["with a status of minus one", respond(head, [message], { "grpc-status": "-1" }), Code.Unknown],
    [
      "of a head alone with an error",
      alone({ ...head, "grpc-status": "7", "grpc-message": "kein%20Zutritt%3A%20%C3%BC" }),
      Code.PermissionDenied,
      /^kein Zutritt: ü$/,
    ],
    [
      "with a message that is badly escaped",
      alone({ ...head, "grpc-status": "7", "grpc-message": "100%" }),
      Code.PermissionDenied,
      /^100%$/,
    ],
    [
      "that ends inside a message",
      respond(head, [message.subarray(0, -1)], { "grpc-status": "0" }),
      Code.Internal,
      /inside/,
    ],
    [
      "with a flag of two",
      respond(head, [framed(new Uint8Array(1), 2)], { "grpc-status": "0" }),
      Code.Internal,
      /flag/,
    ],
    [
      "flagged as compressed without encoding",
      respond(head, [framed(gzipSync(""), 1)], { "grpc-status": "0" }),
      Code.Internal,
      /grpc-encoding/,
    ],
    [
      "in an encoding that was not offered",
      respond({ ...head, "grpc-encoding": "br" }, [message], { "grpc-status": "0" }),
      Code.Internal,
      /br/,
    ],
    [
      "that is no gzip although it says so",
      respond({ ...head, "grpc-encoding": "gzip" }, [framed(new Uint8Array(9), 1)], { "grpc-status": "0" }),
      Code.Internal,
      /gzip/,
    ],
    [
      "that is a bomb",
      respond({ ...head, "grpc-encoding": "gzip" }, [framed(gzipSync(Buffer.alloc(8_000_000)), 1)], {
        "grpc-status": "0",
      }),
      Code.ResourceExhausted,
    ],
    ["that is no protobuf", respond(head, [framed(Uint8Array.of(255, 255))], { "grpc-status": "0" }), Code.Internal],
    ["announced as 4 GiB", respond(head, [framed(new Uint8Array(9), 0, 0xffff_ffff)], {}), Code.ResourceExhausted],
    [
      "that is a web page",
      respond({ ":status": 200, "content-type": "text/html" }, [message], {}),
      Code.Unknown,
      /text\/html/,
    ],
    ["without content-type", respond({ ":status": 200 }, [message], { "grpc-status": "0" }), Code.Unknown],
    [
      "in JSON that no one asked for",
      respond({ ...head, "content-type": "application/grpc+json" }, [], {}),
      Code.Unknown,
    ],
    ["of HTTP 400", alone({ ":status": 400 }), Code.Internal, /400/],
    ["of HTTP 401", alone({ ":status": 401 }), Code.Unauthenticated, /401/],
    ["of HTTP 403", alone({ ":status": 403 }), Code.PermissionDenied, /403/],
    ["of HTTP 404", alone({ ":status": 404 }), Code.Unimplemented, /404/],
    ["of HTTP 429", alone({ ":status": 429 }), Code.Unavailable, /429/],
    ["of HTTP 502", alone({ ":status": 502 }), Code.Unavailable, /502/],
    [
      "of HTTP 503",
      respond({ ":status": 503, "content-type": "text/plain" }, [Buffer.from("no")], {}),
      Code.Unavailable,
      /503/,
    ],
    ["of HTTP 504", alone({ ":status": 504 }), Code.Unavailable, /504/],
    ["of HTTP 418", alone({ ":status": 418 }), Code.Unknown, /418/],
    ["of HTTP 503 with a status of gRPC's own", alone({ ...head, ":status": 503, "grpc-status": "5" }), Code.NotFound],
  ];
  for (const [name, answer, code, text] of verdicts) {
    it(`${name} is ${Code[code]}`, async (t) => {
      const client = await openClient(t, answer);
      await assertStatus(client.unary({}), code, text);
      // Another call on the same connection fares alike: what is remembered of a head must not change the verdict.
      await assertStatus(client.unary({}), code, text);
    });
  }

  for (const [name, answer, code, text] of verdicts) {
    const isAboutNumber = /no message|two messages|head alone with status OK/.test(name);
    if (isAboutNumber) continue;
    it(`${name} is ${Code[code]} for a stream too`, async (t) => {
      const client = await openClient(t, answer);
      await assertStatus(client.serverStream({}), code, text);
    });
  }

  const {
    NGHTTP2_NO_ERROR,
    NGHTTP2_PROTOCOL_ERROR,
    NGHTTP2_INTERNAL_ERROR,
    NGHTTP2_FLOW_CONTROL_ERROR,
    NGHTTP2_STREAM_CLOSED,
    NGHTTP2_FRAME_SIZE_ERROR,
    NGHTTP2_REFUSED_STREAM,
    NGHTTP2_CANCEL,
    NGHTTP2_COMPRESSION_ERROR,
    NGHTTP2_CONNECT_ERROR,
    NGHTTP2_ENHANCE_YOUR_CALM,
    NGHTTP2_INADEQUATE_SECURITY,
  } = constants;
  const resets: [number, Code][] = [
    [NGHTTP2_NO_ERROR, Code.Internal],
    [NGHTTP2_PROTOCOL_ERROR, Code.Internal],
    [NGHTTP2_INTERNAL_ERROR, Code.Internal],
    [NGHTTP2_FLOW_CONTROL_ERROR, Code.Internal],
    [NGHTTP2_STREAM_CLOSED, Code.Internal],
    [NGHTTP2_FRAME_SIZE_ERROR, Code.Internal],
    [NGHTTP2_REFUSED_STREAM, Code.Unavailable],
    [NGHTTP2_CANCEL, Code.Canceled],
    [NGHTTP2_COMPRESSION_ERROR, Code.Internal],
    [NGHTTP2_CONNECT_ERROR, Code.Internal],
    [NGHTTP2_ENHANCE_YOUR_CALM, Code.ResourceExhausted],
    [NGHTTP2_INADEQUATE_SECURITY, Code.PermissionDenied],
  ];
  for (const [resetCode, code] of resets) {
    it(`that was reset with ${resetCode} is ${Code[code]}, before the head and in the middle`, async (t) => {
      const early = await openClient(t, (stream) => stream.close(resetCode));
      await assertStatus(early.unary({}), code);
      const client = await openByFrames(t, [
        frame(frameType.headers, flagEndHeaders, 1, encodedHead),
        frame(frameType.data, 0, 1, message),
        frame(frameType.rstStream, 0, 1, uint32(resetCode)),
      ]);
      let received = 0;
      const reading = (async () => {
        for await (const _response of client.serverStream({})) received++;
      })();
      await assertStatus(reading, code);
      assert.equal(received, 1);
    });
  }

  it("whose connection broke in the middle is Unavailable, never an end", async (t) => {
    const client = await openClient(t, (stream) => {
      stream.respond(head);
      stream.write(message, () => stream.session?.destroy());
    });
    await assertStatus(client.serverStream({}), Code.Unavailable);
    await assertStatus(client.unary({}), Code.Unavailable);
  });

  it("that GOAWAY says was not processed is Unavailable", async (t) => {
    const lastProcessed = Buffer.concat([uint32(0), uint32(NGHTTP2_NO_ERROR)]);
    const client = await openByFrames(t, [frame(frameType.goaway, 0, 0, lastProcessed)]);
    await assertStatus(client.unary({}), Code.Unavailable);
  });

  it("takes status details only from a message that agrees with the status", async (t) => {
    const details = Buffer.from([0x08, 0x05, 0x12, 0x01, 0x78]).toString("base64");
    const agreeing = await openClient(t, alone({ ...head, "grpc-status": "5", "grpc-status-details-bin": details }));
    assert.deepEqual((await assertStatus(agreeing.unary({}), Code.NotFound)).details, []);
    const broken = await openClient(t, alone({ ...head, "grpc-status": "5", "grpc-status-details-bin": "%%%" }));
    assert.deepEqual((await assertStatus(broken.unary({}), Code.NotFound)).details, []);
  });
});

function respondWithoutTrailers(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders = head): void {
  stream.respond(headers);
  stream.end(message);
}
