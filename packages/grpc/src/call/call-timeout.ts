import { type ContextKey, createContextKey } from "@connectrpc/connect";

/**
 * For client interceptors: gives the call that they hand on at most this many milliseconds. Connect settles a call's timeout before its
 * interceptors run and leaves them no other way to shorten the grpc-timeout. A shorter timeout stays.
 */
export const maxCallTimeoutMs: ContextKey<number | undefined> = createContextKey<number | undefined>(undefined, {
  description: "longest timeout of a call in milliseconds",
});
