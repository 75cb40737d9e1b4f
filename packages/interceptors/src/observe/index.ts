export type { AttemptObserver, OnAttempt, RunStep, StartedAttempt } from "@tercel/grpc/hooks";
export { type CallObserver, observeCalls, type Side } from "../call/observe-calls.ts";
export { okStatus, type Status, statusName } from "../call/status-name.ts";
