import { type ContextKey, createContextKey } from "@connectrpc/connect";

/**
 * Whether a call keeps the process alive while it is open or waits for a connection. Default true. Set it to `false` in the
 * `contextValues` of a call that only serves the process, such as a watch that runs until the end. A deadline keeps the process
 * alive all the same.
 */
export const keepsProcessAlive: ContextKey<boolean> = createContextKey(true, {
  description: "keeps the process alive",
});
