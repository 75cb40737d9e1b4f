import { Code, ConnectError } from "@connectrpc/connect";
import { keepStack } from "./caller-stack.ts";

/** What a caller's signal says, as a ConnectError: Canceled, unless its reason is one already or a time-out. */
export function abortError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return keepStack(reason);
  if (reason instanceof Error && reason.name === "TimeoutError") {
    return new ConnectError("the deadline has passed", Code.DeadlineExceeded, undefined, undefined, reason);
  }
  return ConnectError.from(reason ?? "the call was cancelled", Code.Canceled);
}
