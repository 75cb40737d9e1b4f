// For web pages that call a gateway. Nothing here imports modules of Node.

export { type ErrorCase, type ErrorCases, type MatchedError, matchError } from "./browser/match-error.ts";
export type { Network } from "./browser/network.ts";
export {
  createReconnectingStream,
  type Reconnect,
  type ReconnectingStreamOptions,
} from "./browser/reconnecting-stream.ts";
export { createWebSocketTransport, type WebSocketTransportOptions } from "./browser/web-socket-transport.ts";
