import assert from "node:assert/strict";
import type { OutgoingHttpHeaders } from "node:http2";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { ServerOptions } from "@tercel/grpc";
import { createStubServer } from "@tercel/grpc/testing";
import { EchoRequestSchema, EchoResponseSchema } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { type EchoHandlers, echoRoutes, recordingLog } from "./support/open-echo.ts";
import { framed, openRawClient, type SendRaw, unaryPath } from "./support/raw-client.ts";

const handlers: EchoHandlers = {
  unary: (request) => ({ text: request.text }),
  async clientStream(requests) {
    let count = 0;
    for await (const _request of requests) count++;
    return { count };
  },
  async *serverStream() {
    yield { text: "one" };
  },
};

const service = "/tercel.grpc.test.v1.EchoService";
const hello = toBinary(EchoRequestSchema, create(EchoRequestSchema, { text: "hello" }));
const notProtobuf = Uint8Array.of(0xff, 0xff, 0xff);

async function openServer(
  test: TestContext,
  options: Omit<ServerOptions, "routes"> = {},
): Promise<{ send: SendRaw; isAlive: () => Promise<boolean> }> {
  const stub = await createStubServer(echoRoutes(handlers), {
    serverOptions: { log: recordingLog().log, ...options },
  });
  test.after(() => stub.close({ deadlineMs: 0 }));
  const send = openRawClient(test, stub.target);
  return {
    send,
    /** The connection that took the bad request serves good ones. */
    async isAlive() {
      const { grpcStatus, body } = await send({}, framed(hello));
      return grpcStatus === "0" && fromBinary(EchoResponseSchema, body.subarray(5)).text === "hello";
    },
  };
}

describe("a server's answer to a request", () => {
  const notGrpc: [string, OutgoingHttpHeaders, number][] = [
    ["by GET", { ":method": "GET" }, 405],
    ["by PUT", { ":method": "PUT" }, 405],
    ["of another content-type", { "content-type": "application/json" }, 415],
    ["in gRPC-Web", { "content-type": "application/grpc-web+proto" }, 415],
    ["in a format of its own", { "content-type": "application/grpc+thrift" }, 415],
    ["without content-type", { "content-type": undefined }, 415],
    ["of a content-type that only begins like gRPC's", { "content-type": "application/grpcfoo" }, 415],
  ];
  for (const [name, headers, status] of notGrpc) {
    it(`${name} is HTTP ${status}`, async (t) => {
      const { send, isAlive } = await openServer(t);
      const response = await send(headers, framed(hello));
      assert.equal(response.status, status);
      assert.equal(response.grpcStatus, undefined);
      assert.match(response.body.toString(), /gRPC|application\/grpc/);
      assert.ok(await isAlive());
    });
  }

  for (const contentType of [
    "application/grpc",
    "application/grpc+proto",
    "Application/GRPC",
    "application/grpc;v=1",
  ]) {
    it(`of content-type ${contentType} is the answer`, async (t) => {
      const { send } = await openServer(t);
      const response = await send({ "content-type": contentType }, framed(hello));
      assert.equal(response.grpcStatus, "0");
      assert.match(response.headers["content-type"] ?? "", /^application\/grpc/);
    });
  }

  const refused: [string, OutgoingHttpHeaders, Code, RegExp][] = [
    ["for a method it does not have", { ":path": `${service}/Nope` }, Code.Unimplemented, /Nope/],
    ["for a service it does not have", { ":path": "/a.B/C" }, Code.Unimplemented, /a\.B/],
    ["for a path of one part", { ":path": "/Unary" }, Code.Unimplemented, /form/],
    ["for a path of three parts", { ":path": `${unaryPath}/` }, Code.Unimplemented, /form/],
    ["for a path with a query", { ":path": `${unaryPath}?a=b` }, Code.Unimplemented, /form/],
    ["for a path in another case", { ":path": `${service}/unary` }, Code.Unimplemented, /unary/],
    ["with a time-out of nine digits", { "grpc-timeout": "123456789m" }, Code.Internal, /grpc-timeout/],
    ["with a time-out without unit", { "grpc-timeout": "10" }, Code.Internal, /grpc-timeout/],
    ["with a negative time-out", { "grpc-timeout": "-1S" }, Code.Internal, /grpc-timeout/],
    ["with an empty time-out", { "grpc-timeout": "" }, Code.Internal, /grpc-timeout/],
    ["with a time-out of zero", { "grpc-timeout": "0n" }, Code.DeadlineExceeded, /deadline/],
    ["in an encoding no one knows", { "grpc-encoding": "br" }, Code.Unimplemented, /br.*gzip/],
    ["with bytes that are no base64", { "x-bin": "!!!" }, Code.Internal, /x-bin/],
  ];
  for (const [name, headers, code, message] of refused) {
    it(`${name} is ${Code[code]}, in the head alone`, async (t) => {
      const { send, isAlive } = await openServer(t);
      const response = await send(headers, framed(hello));
      assert.equal(response.status, 200);
      assert.equal(response.headers["grpc-status"], String(code));
      assert.match(decodeURIComponent(response.grpcMessage ?? ""), message);
      assert.equal(response.body.length, 0);
      // Tells what it would have taken (gRPC compression).
      assert.equal(response.headers["grpc-accept-encoding"], "gzip");
      assert.ok(await isAlive());
    });
  }

  for (const timeout of ["99999999H", "99999999S", "1H", "60S", "99999999m", "9999999u"]) {
    it(`with a time-out of ${timeout} is the answer`, async (t) => {
      const { send } = await openServer(t);
      assert.equal((await send({ "grpc-timeout": timeout }, framed(hello))).grpcStatus, "0");
    });
  }

  const big = new Uint8Array(2001);
  const bodies: [string, OutgoingHttpHeaders, readonly Uint8Array[], Code, RegExp][] = [
    ["of no message where there should be one", {}, [], Code.Unimplemented, /none came/],
    ["of two messages where there should be one", {}, [framed(hello), framed(hello)], Code.Unimplemented, /more came/],
    [
      "of two messages to a server-streaming method",
      { ":path": `${service}/ServerStream` },
      [framed(hello), framed(hello)],
      Code.Unimplemented,
      /more came/,
    ],
    ["that ends inside the prefix", {}, [Uint8Array.of(0, 0, 0)], Code.Internal, /inside a message/],
    ["that ends inside the message", {}, [framed(hello, 0, hello.length + 1)], Code.Internal, /inside a message/],
    ["with a flag of two", {}, [framed(hello, 2)], Code.Internal, /flag is 2/],
    ["with a flag of 255", {}, [framed(hello, 255)], Code.Internal, /flag is 255/],
    ["flagged as compressed without an encoding", {}, [framed(gzipSync(hello), 1)], Code.Internal, /grpc-encoding/],
    [
      "flagged as compressed in the encoding identity",
      { "grpc-encoding": "identity" },
      [framed(hello, 1)],
      Code.Internal,
      /grpc-encoding/,
    ],
    ["that is no gzip", { "grpc-encoding": "gzip" }, [framed(hello, 1)], Code.Internal, /gzip/],
    [
      "of a gzip that was cut off",
      { "grpc-encoding": "gzip" },
      [framed(gzipSync(hello).subarray(0, -4), 1)],
      Code.Internal,
      /gzip/,
    ],
    [
      "of a gzip with something behind it",
      { "grpc-encoding": "gzip" },
      [framed(Buffer.concat([gzipSync(hello), Buffer.alloc(8)]), 1)],
      Code.Internal,
      /followed|gzip/,
    ],
    ["that is no protobuf", {}, [framed(notProtobuf)], Code.Internal, /decode|EchoRequest/],
    ["that is announced too large", {}, [framed(hello, 0, 2001)], Code.ResourceExhausted, /2001.*2000/],
    ["that is announced as 4 GiB", {}, [framed(hello, 0, 0xffff_ffff)], Code.ResourceExhausted, /4294967295/],
    ["that is too large", {}, [framed(big)], Code.ResourceExhausted, /2001.*2000/],
    [
      "of a bomb: 64 MiB of zeros in 64 KiB",
      { "grpc-encoding": "gzip" },
      [framed(gzipSync(Buffer.alloc(64 * 1024 * 1024)).subarray(0, 1900), 1)],
      Code.ResourceExhausted,
      /2000/,
    ],
    ["in JSON that is none", { "content-type": "application/grpc+json" }, [framed(hello)], Code.Internal, /decode/],
  ];
  for (const [name, headers, body, code, message] of bodies) {
    it(`${name} is ${Code[code]}`, async (t) => {
      const { send, isAlive } = await openServer(t, { maxReceiveMessageBytes: 2000 });
      const response = await send(headers, body);
      assert.equal(response.grpcStatus, String(code), response.grpcMessage);
      assert.match(decodeURIComponent(response.grpcMessage ?? ""), message);
      assert.ok(await isAlive());
    });
  }

  it("in JSON comes in JSON", async (t) => {
    const { send } = await openServer(t);
    const response = await send(
      { "content-type": "application/grpc+json" },
      framed(Buffer.from(JSON.stringify({ text: "hello", unknown: 1 }))),
    );
    assert.equal(response.headers["content-type"], "application/grpc+json");
    assert.deepEqual(JSON.parse(response.body.subarray(5).toString()), { text: "hello" });
  });

  it("that gave its length wrongly is a reset of the stream and nothing more", async (t) => {
    const { send, isAlive } = await openServer(t);
    const response = await send({ "content-length": 1 }, framed(hello));
    assert.equal(response.resetCode, 1);
    assert.ok(await isAlive());
  });

  it("comes for messages cut into single bytes", async (t) => {
    const { send } = await openServer(t);
    const bytes = Array.from(Buffer.concat([framed(hello), framed(hello), framed(new Uint8Array())]), (byte) =>
      Uint8Array.of(byte),
    );
    const response = await send({ ":path": `${service}/ClientStream` }, bytes);
    assert.equal(fromBinary(EchoResponseSchema, response.body.subarray(5)).count, 3);
  });

  it("comes for a thousand messages in one frame", async (t) => {
    const { send } = await openServer(t);
    const body = Buffer.concat(Array.from({ length: 1000 }, () => framed(new Uint8Array())));
    const response = await send({ ":path": `${service}/ClientStream` }, body);
    assert.equal(fromBinary(EchoResponseSchema, response.body.subarray(5)).count, 1000);
  });

  it("that is an error does not wait for the rest of the request", async (t) => {
    const { send, isAlive } = await openServer(t);
    const response = await send({ ":path": "/a.B/C" }, [framed(hello)], { leaveOpen: true });
    assert.equal(response.grpcStatus, String(Code.Unimplemented));
    assert.ok(await isAlive());
  });
});
