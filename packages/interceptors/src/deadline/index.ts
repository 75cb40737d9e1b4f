export type { ByMethod, MethodSelector } from "../call/method-selector.ts";
export { type ClientDeadlineOptions, createClientDeadline } from "./client-deadline.ts";
export { currentDeadline, currentSignal, remainingMs, withoutDeadline } from "./current-deadline.ts";
export { createServerDeadline, type ServerDeadlineOptions, type TimeLimits } from "./server-deadline.ts";
