// What interceptors that run as steps of one pass are made of, and what such interceptors and an application are shown of calls, limits and channels.

export { maxCallTimeoutMs } from "./call/call-timeout.ts";
export type { EndedCall, OnCallEnd } from "./call/context/call-info.ts";
export { targetOf } from "./call/context/channel-target.ts";
export { readHeader } from "./call/context/read-header.ts";
export { setHeader } from "./call/context/set-header.ts";
export type { OnUnhandledCall, UnhandledCall } from "./call/unhandled-call.ts";
export type {
  AttemptExplanation,
  CallExplanation,
  CallPhase,
  ChannelExplanation,
  EndpointExplanation,
  PhaseTime,
  ResolverExplanation,
} from "./channel/explain/explanation.ts";
export type { AttemptObserver, OnAttempt, StartedAttempt } from "./hooks/attempt-observer.ts";
export type { CallHook, CallRequest, ResponseMetadata } from "./hooks/call-hook.ts";
export { gateMessages } from "./hooks/gate-messages.ts";
export { createHookedInterceptor } from "./hooks/hooked-interceptor.ts";
export type { MessageObserver } from "./hooks/message-observer.ts";
export { type MessageWatcher, type RunStep, watchMessages } from "./hooks/watch-messages.ts";
export { requestWithMessages, responseWithMessages } from "./hooks/with-messages.ts";
export type { LimitAction, LimitExceeded, LimitName, OnLimit } from "./transport/limit-reporter.ts";
