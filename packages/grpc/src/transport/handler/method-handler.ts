import type { DescMethod } from "@bufbuild/protobuf";
import type { CallArrivals } from "../../call/call-arrivals.ts";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import type { MessageFormat } from "../../protocol/content-type.ts";
import type { HandledCall } from "./handled-call.ts";

/** What is expected of a method that has not answered yet: as much as lets the 200 calls of a connection begin at once, by default. */
export const unknownResponseBytes = 81_920;

/** How both directions of a method are read and written. */
export interface MessageCodecs {
  readonly request: MessageCodec;
  readonly response: MessageCodec;
}

/** A method that a server serves: what is looked up by path, with everything decided that does not depend on the call. */
export interface MethodHandler {
  readonly codecs: Readonly<Record<MessageFormat, MessageCodecs>>;
  /** The largest request and response message. */
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
  /** Client-streaming and bidirectional methods take any number of requests; the others exactly one. */
  readonly requestIsStream: boolean;
  /** For observers of unhandled calls; undefined for a method that is served as bytes. */
  readonly desc: DescMethod | undefined;
  /** Those among the interceptors that want to know of calls as they arrive. */
  readonly arrivals: CallArrivals | undefined;
  /** What a response is expected to take, learned from those that were sent: few requests begin at once where responses are large. */
  expectedResponseBytes: number;
  /** Runs the call and sends what comes of it. `input` is the request, or the iterable of requests for methods that take a stream. */
  invoke(call: HandledCall, input: object): void;
}

/** A larger response than before is what is expected at once; smaller ones change that little by little. */
export function expectResponse(handler: MethodHandler, bytes: number): void {
  const expectedBytes = handler.expectedResponseBytes;
  if (bytes >= expectedBytes || expectedBytes === unknownResponseBytes) handler.expectedResponseBytes = bytes;
  else handler.expectedResponseBytes -= Math.ceil((expectedBytes - bytes) / 8);
}

/** The methods of a server, by path. */
export interface ServedMethods {
  find(path: string): MethodHandler | undefined;
  /** Changes whenever a path may lead elsewhere than before. */
  readonly version: number;
}
