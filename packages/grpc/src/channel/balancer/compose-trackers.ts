import type { CallTracker } from "./index.ts";

/** One tracker that tells both, the inner one first; for policies that hold others. */
export function composeTrackers(
  inner: CallTracker | undefined,
  outer: CallTracker | undefined,
): CallTracker | undefined {
  if (inner === undefined) return outer;
  if (outer === undefined) return inner;
  return {
    onStart() {
      inner.onStart();
      outer.onStart();
    },
    onEnd(outcome) {
      inner.onEnd(outcome);
      outer.onEnd(outcome);
    },
  };
}
