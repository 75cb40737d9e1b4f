import { create, toBinary } from "@bufbuild/protobuf";
import type { ScriptedPeer } from "@tercel/http2/testing";
import { EchoRequestSchema, EchoResponseSchema } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { framed } from "../support/raw-client.ts";

/** A request message with its prefix. */
export function requestOf(text: string): Buffer {
  return framed(toBinary(EchoRequestSchema, create(EchoRequestSchema, { text })));
}

/** A response message with its prefix. */
export function responseOf(text: string): Buffer {
  return framed(toBinary(EchoResponseSchema, create(EchoResponseSchema, { text })));
}

/** A text that is worth compressing. */
export const longText = "Tercel sends the same words again and again. ".repeat(40);

export const okHead = [":status", "200", "content-type", "application/grpc"];
export const okTrailers = ["grpc-status", "0"];

/** The head of a request of gRPC, with what is given added or replaced. An undefined value leaves a field out. */
export function requestHead(method: string, given: Readonly<Record<string, string | undefined>> = {}): string[] {
  const fields: Record<string, string | undefined> = {
    ":method": "POST",
    ":scheme": "http",
    ":path": `/tercel.grpc.test.v1.EchoService/${method}`,
    ":authority": "echo.example",
    "content-type": "application/grpc",
    te: "trailers",
    ...given,
  };
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

/** A unary request, whole. */
export function sendUnary(
  peer: ScriptedPeer,
  streamId: number,
  text: string,
  fields: Record<string, string> = {},
): void {
  peer.sendHeaders(streamId, requestHead("Unary", fields));
  peer.sendData(streamId, requestOf(text), { endStream: true });
}

/** A response with its messages, whole. */
export function sendResponse(peer: ScriptedPeer, streamId: number, ...texts: readonly string[]): void {
  peer.sendHeaders(streamId, okHead);
  for (const text of texts) peer.sendData(streamId, responseOf(text));
  peer.sendHeaders(streamId, okTrailers, { endStream: true });
}
