import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";

/** A request that ended before interceptors and handler were called. */
export interface UnhandledCall {
  /** Undefined for a method that the server does not have, and for requests that are not gRPC. */
  readonly method: DescMethod | undefined;
  /** The code that the client gets, or derives from the response. */
  readonly code: Code;
  /** Milliseconds from the arrival of its headers to its end. */
  readonly durationMs: number;
}

/** Hears of each one. What it throws is ignored. */
export type OnUnhandledCall = (call: UnhandledCall) => void;
