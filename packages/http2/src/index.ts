// What users of the engine need.

export type { ConnectionEvents, ConnectionOptions } from "./connection/connection-options.ts";
export type { Http2Connection } from "./connection/http2-connection.ts";
export { type ConnectionLimitOptions, type ConnectionLimits, defaultLimits } from "./connection/limits.ts";
export type { ConnectionStatus, MessageCounts, SocketEnd, TlsStatus } from "./connection/time/activity.ts";
export { type Clock, systemClock } from "./connection/time/clock.ts";
export type { Keepalive } from "./connection/time/keepalive.ts";
export { ErrorCode, errorCodeName } from "./errors/error-code.ts";
export { type ErrorBlame, type ErrorScope, Http2Error } from "./errors/http2-error.ts";
export { type LimitAction, type LimitEvent, type LimitName, limitNames } from "./errors/limit-name.ts";
export type { Goaway } from "./frame/goaway.ts";
export { PreparedHeaders } from "./hpack/index.ts";
export { type ConnectOptions, connect } from "./socket/connect.ts";
export type { Http2Server } from "./socket/http2-server.ts";
export { isLoopback } from "./socket/loopback.ts";
export { createHttp2Server } from "./socket/server.ts";
export type { Http1Server, Http2ServerOptions, ListenAddress } from "./socket/server-options.ts";
export type { HeaderFields } from "./stream/header-fields.ts";
export type { Http2Stream } from "./stream/http2-stream.ts";
export type { PeerCertificate, PeerTls } from "./stream/peer-tls.ts";
export type { RequestHead } from "./stream/request-head.ts";
export type { ResponseHead, Trailers } from "./stream/response-head.ts";
export type { StreamListener } from "./stream/stream-listener.ts";
