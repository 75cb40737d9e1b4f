import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";

/** A request that was answered, or given up, before interceptors and handler had it. */
export interface UnhandledCall {
  /** Undefined for a method that the server does not have, and for what is no gRPC at all. */
  readonly method: DescMethod | undefined;
  /** What the client was told, or takes the answer for. */
  readonly code: Code;
  /** Milliseconds from the arrival of its headers to its end. */
  readonly durationMs: number;
}

/** Hears of each one. What it throws is ignored. */
export type OnUnhandledCall = (call: UnhandledCall) => void;
