// What applications need: to serve and to call.

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
export type { MethodConfigJson, ServiceConfigJson } from "./channel/service-config/service-config-json.ts";
export type { ConnectivityState } from "./channel/subchannel/connectivity.ts";
export { type Log, type LogFields, stderrLog } from "./logging/log.ts";
export { workerNumber } from "./logging/worker-number.ts";
export type { Compression } from "./protocol/compression.ts";
export { gzipCompression } from "./protocol/gzip-compression.ts";
export { runLifecycle } from "./server/lifecycle/lifecycle.ts";
export type { Lifecycle, LifecycleOutcome, ServedHealth, ServeOptions } from "./server/lifecycle/lifecycle-contract.ts";
export type { LifecycleOptions } from "./server/lifecycle/lifecycle-options.ts";
export type { MethodLimits, MethodOrService } from "./server/method-limits.ts";
export { type CloseOptions, createServer, type ListeningAt, type ListenOptions, type Server } from "./server/server.ts";
export type { ServerOptions } from "./server/server-options.ts";
export { onStopSignals, type StopSignalOptions } from "./server/stop-signals.ts";
export { runWorkers } from "./server/workers/run-workers.ts";
export {
  type Collected,
  createShared,
  type Shared,
  type SharedOptions,
  type WorkerCounts,
} from "./server/workers/shared.ts";
export type { WorkersOptions } from "./server/workers/worker-options.ts";
export type { Address } from "./transport/client-connection.ts";
export type { LimitAction, LimitName, LimitStrike, OnLimit } from "./transport/limit-reporter.ts";
export type { ListenAddress } from "./transport/listen.ts";
export { type FromFiles, type TlsFiles, type TlsFilesOptions, watchTlsFiles } from "./transport/tls-files.ts";
export type { TlsMaterial } from "./transport/tls-material.ts";

// What applications need besides for a resolver or a balancer of their own.

export { deriveHost, type HostOverrides } from "./channel/balancer/derive-host.ts";
export type { EndpointChild } from "./channel/balancer/endpoint-children.ts";
export { GracefulSwitch } from "./channel/balancer/graceful-switch.ts";
export type {
  Balancer,
  BalancerFactory,
  BalancerHost,
  BalancerUpdate,
  CallOutcome,
  CallTracker,
  HealthListener,
  HealthReport,
  LoadReport,
  Picker,
  PickInfo,
  PickResult,
} from "./channel/balancer/index.ts";
export { createFailPicker, createQueuePicker, createUnavailablePicker } from "./channel/balancer/pickers.ts";
export { createPolicies, type Policies } from "./channel/balancer/policies.ts";
export type { ChoosePolicy, PolicyChoice } from "./channel/balancer/policy-choice.ts";
export {
  type CompleteResult,
  createReadyEndpointsBalancer,
  type ReadyPolicy,
  resultsOf,
  resultWithPlace,
} from "./channel/balancer/ready-endpoints.ts";
export type { ParsedTarget } from "./channel/naming/target.ts";
export { createDnsResolver, type DnsResolverOptions } from "./channel/resolver/dns.ts";
export type {
  Endpoint,
  Resolver,
  ResolverEnvironment,
  ResolverFactory,
  ResolverListener,
  ResolverResult,
} from "./channel/resolver/index.ts";
export { type Backoff, type BackoffOptions, createBackoff } from "./channel/retry/backoff.ts";
export type { Subchannel, SubchannelStateListener } from "./channel/subchannel/index.ts";

// What sibling packages need besides.

export { maxCallTimeoutMs } from "./call/call-timeout.ts";
export { targetOf } from "./call/channel-target.ts";
export { ProcessHold } from "./call/process-hold.ts";
export { readHeader } from "./call/read-header.ts";
export { setHeader } from "./call/set-header.ts";
export type { AttemptObserver, OnAttempt, StartedAttempt } from "./hooks/attempt-observer.ts";
export type { CallHook, CallRequest, ResponseMetadata } from "./hooks/call-hook.ts";
export { gateMessages } from "./hooks/gate-messages.ts";
export { createHookedInterceptor } from "./hooks/hooked-interceptor.ts";
export type { MessageObserver } from "./hooks/message-observer.ts";
export { type MessageWatcher, type RunStep, watchMessages } from "./hooks/watch-messages.ts";
export { requestWithMessages, responseWithMessages } from "./hooks/with-messages.ts";
export { LinePace } from "./logging/line-pace.ts";
export { printable } from "./logging/printable.ts";
export { containRejection, reportLogFailure, safeLog } from "./logging/safe-log.ts";
export { thrownMessage, thrownText } from "./logging/thrown-text.ts";
export { checkWholeNumber } from "./options/check-number.ts";
export { nearestName, refuseUnknownOptions } from "./options/unknown-option.ts";
export { isAuthority } from "./protocol/authority.ts";
export { statusNames } from "./protocol/status.ts";
export { type Clock, systemClock } from "./time/clock.ts";
