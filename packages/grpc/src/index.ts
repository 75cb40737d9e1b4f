// What applications need to serve and to call.

export { create } from "@bufbuild/protobuf";
export { Code, ConnectError, createContextKey } from "@connectrpc/connect";
export { type CallInfo, type ClientCertificate, type ClientTls, callInfo } from "./call/context/call-info.ts";
export { waitForReady } from "./call/context/wait-for-ready.ts";
export { keepsProcessAlive } from "./call/keeps-process-alive.ts";
export { compressMessages } from "./call/messages/compress-messages.ts";
export { type Channel, type ChannelCloseOptions, createChannel } from "./channel/channel.ts";
export type { ChannelOptions } from "./channel/channel-options.ts";
export { createClient } from "./channel/create-client.ts";
export { explainError } from "./channel/explain/explanation.ts";
export { createBackoff } from "./channel/retry/backoff.ts";
export type { ServiceConfigJson } from "./channel/service-config/service-config-json.ts";
export { type Log, type LogFields, stderrLog } from "./logging/log.ts";
export type { Compression } from "./protocol/compression.ts";
export { gzipCompression } from "./protocol/gzip-compression.ts";
export type { MethodLimits, MethodOrService } from "./server/method-limits.ts";
export {
  type CloseOptions,
  createServer,
  type ListenAddressFor,
  type ListenOptions,
  type Server,
} from "./server/server.ts";
export type { ServerOptions } from "./server/server-options.ts";
export { type Clock, systemClock } from "./time/clock.ts";
export type { ListenAddress } from "./transport/server/listen.ts";
export { type TlsFiles, type TlsFilesOption, type TlsFilesOptions, watchTlsFiles } from "./transport/tls/tls-files.ts";
export type { TlsMaterial } from "./transport/tls/tls-material.ts";
