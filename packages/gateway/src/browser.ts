// What web pages need to call a gateway. Nothing here imports Node's modules.

export { type ErrorCase, type ErrorCases, type MatchedError, matchError } from "./browser/match-error.ts";
export type { Network } from "./browser/network.ts";
export {
  createReconnectingStream,
  type Reconnect,
  type ReconnectingStreamOptions,
} from "./browser/reconnecting-stream.ts";
export { createWebSocketTransport, type WebSocketTransportOptions } from "./browser/web-socket-transport.ts";
