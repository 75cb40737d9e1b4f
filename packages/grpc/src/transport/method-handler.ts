import type { DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec } from "@connectrpc/connect";
import type { CallArrivals } from "../call/call-arrivals.ts";
import type { HookChain } from "../hooks/call-hook.ts";

/** What is expected of a method that has not answered yet: as much as lets the 200 calls of a connection begin at once, by default. */
export const unknownResponseBytes = 81_920;

/** A method that a server serves: what is looked up by path, with everything decided that does not depend on the call. */
export interface MethodHandler {
  readonly spec: MethodImplSpec;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly input: DescMessage;
  readonly output: DescMessage;
  /** The largest request and response message. */
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
  /** Client-streaming and bidirectional methods take any number of requests; the others exactly one. */
  readonly requestIsStream: boolean;
  /** The server's interceptors, then those that were given with the service; the first is the outermost. */
  readonly interceptors: readonly Interceptor[];
  /** The same where all of them are hooks: then the call needs none of Connect's objects. */
  readonly hooks: HookChain | undefined;
  /** Those among the interceptors that want to know of calls as they arrive. */
  readonly arrivals: CallArrivals | undefined;
  /** What a response is expected to take, learned from those that were sent: few requests begin at once where responses are large. */
  expectedResponseBytes: number;
}
