import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";

/** Where a channel puts its target on the requests that its interceptors see. Their context values are the caller's own, which several channels may share. */
export const channelTarget: unique symbol = Symbol("tercel.channelTarget");

/**
 * What the channel of a client's request was made with, as a URI: `dns:///orders:50051` for a target without a scheme. Undefined on
 * servers, on other transports than our channels, and for a request that an interceptor has put together again.
 */
export function targetOf(request: UnaryRequest | StreamRequest): string | undefined {
  return (request as { readonly [channelTarget]?: string })[channelTarget];
}
