// What users of the engine need.
export { connect, type ConnectOptions } from "./socket/connect.ts";
export { Http2Server, type Http1Server, type Http2ServerOptions, type ListenAddress } from "./socket/server.ts";
export type { Connection, ConnectionEvents, ConnectionOptions } from "./connection/connection.ts";
export type { Keepalive } from "./connection/keepalive.ts";
export { type ConnectionLimits, defaultLimits } from "./connection/limits.ts";
export type { HeaderFields, Stream, StreamListener } from "./stream/stream.ts";
export type { RequestHead } from "./stream/request-head.ts";
export type { ResponseHead, Trailers } from "./stream/response-head.ts";
export { PreparedHeaders } from "./hpack/index.ts";
export { ErrorCode, errorCodeName } from "./frame/error-code.ts";
export { type ErrorBlame, type ErrorScope, Http2Error } from "./http2-error.ts";
export type { Goaway } from "./frame/goaway.ts";

// What sibling packages and tests need besides.
export { type Clock, systemClock } from "./connection/clock.ts";
export { Ticker } from "./connection/ticker.ts";
