import type { EndedCall, OnCallEnd } from "./context/call-info.ts";

/** Tells one more of a call's end. */
export function andListener(earlier: OnCallEnd | undefined, listener: OnCallEnd): OnCallEnd {
  if (earlier === undefined) return listener;
  return (call) => {
    tellEnd(earlier, call);
    listener(call);
  };
}

/** An observer must not fail the connection whose reading calls it. */
export function tellEnd(listener: OnCallEnd, call: EndedCall): void {
  try {
    listener(call);
  } catch {
    // Its own affair.
  }
}
