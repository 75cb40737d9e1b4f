import type { Code } from "@connectrpc/connect";

/** How a call ended on the subchannel that was picked for it. */
export interface CallOutcome {
  /** Undefined means OK. */
  readonly code: Code | undefined;
  /** Whether the server has sent anything for the call; where no one knows, it counts as if it had. */
  readonly wasAnswered?: boolean;
  /** A field of the trailers, by its lower-case name; null when it is not there. Read it before `onEnd` returns. */
  trailer(name: string): string | null;
}
