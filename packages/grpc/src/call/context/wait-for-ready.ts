import { type ContextKey, createContextKey } from "@connectrpc/connect";

/**
 * Whether a call waits while its channel cannot connect, instead of failing with Unavailable at once: `true` it does, within
 * its deadline, `false` it fails, `undefined` (the default) the channel's `waitForReady` or the service config decides. Set it
 * in a call's `contextValues`.
 */
export const waitForReady: ContextKey<boolean | undefined> = createContextKey<boolean | undefined>(undefined, {
  description: "wait for ready",
});
