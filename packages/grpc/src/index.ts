// What applications need to serve and to call.

export { create } from "@bufbuild/protobuf";
export { Code, ConnectError, createContextKey } from "@connectrpc/connect";
export {
  type CallInfo,
  type ClientCertificate,
  type ClientTls,
  callInfo,
  type EndedCall,
  type OnCallEnd,
} from "./call/call-info.ts";
export { compressMessages } from "./call/compress-messages.ts";
export { keepsProcessAlive } from "./call/keeps-process-alive.ts";
export type { OnUnhandledCall, UnhandledCall } from "./call/unhandled-call.ts";
export { waitForReady } from "./call/wait-for-ready.ts";
export { type Channel, type ChannelCloseOptions, createChannel } from "./channel/channel.ts";
export type { ChannelOptions } from "./channel/channel-options.ts";
export { createClient } from "./channel/create-client.ts";
export {
  type AttemptExplanation,
  type CallExplanation,
  type CallPhase,
  type ChannelExplanation,
  type EndpointExplanation,
  explainError,
  type PhaseTime,
  type ResolverExplanation,
} from "./channel/explain/explanation.ts";
export { type Backoff, type BackoffOptions, createBackoff } from "./channel/retry/backoff.ts";
export type { MethodConfigJson, ServiceConfigJson } from "./channel/service-config/service-config-json.ts";
export type { ConnectivityState } from "./channel/subchannel/connectivity.ts";
export { type Log, type LogFields, stderrLog } from "./logging/log.ts";
export { workerNumber } from "./logging/worker-number.ts";
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
export type { LimitAction, LimitExceeded, LimitName, OnLimit } from "./transport/limit-reporter.ts";
export type { ListenAddress } from "./transport/listen.ts";
export { type TlsFiles, type TlsFilesOption, type TlsFilesOptions, watchTlsFiles } from "./transport/tls-files.ts";
export type { TlsMaterial } from "./transport/tls-material.ts";
