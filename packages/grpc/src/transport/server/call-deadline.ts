import type { DeadlineEntry } from "../../time/deadline-wheel.ts";
import type { ServerCallSettings } from "./server-call-settings.ts";

/** The fields of a server's call that its deadline needs. */
export interface TimedCall extends DeadlineEntry {
  readonly settings: Pick<ServerCallSettings, "clock" | "deadlines">;
  readonly isOver: boolean;
  /** 0 without a deadline. */
  deadlineAtMs: number;
  /** The least time that the call was ever given. */
  leastTimeoutMs: number;
}

/** Sets the deadline that the client requested. False: it has passed. */
export function startDeadline(call: TimedCall, timeoutMs: number): boolean {
  const { clock, deadlines } = call.settings;
  const nowMs = clock.nowMs();
  call.deadlineAtMs = nowMs + timeoutMs;
  call.leastTimeoutMs = timeoutMs;
  if (timeoutMs <= 0) return false;
  deadlines.add(call, nowMs);
  return true;
}

/** Limits a call to at most `timeoutMs` from now on. */
export function shortenDeadline(call: TimedCall, timeoutMs: number): void {
  // What was given less before ends before.
  if (timeoutMs >= call.leastTimeoutMs) return;
  call.leastTimeoutMs = timeoutMs;
  const { clock, deadlines } = call.settings;
  const nowMs = clock.nowMs();
  const deadlineAtMs = nowMs + timeoutMs;
  if (call.isOver || (call.deadlineAtMs !== 0 && call.deadlineAtMs <= deadlineAtMs)) return;
  deadlines.remove(call);
  call.deadlineAtMs = deadlineAtMs;
  deadlines.add(call, nowMs);
}
