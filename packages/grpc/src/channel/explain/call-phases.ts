import type { CallPhase, PhaseTime } from "./explanation.ts";

/** When what happened to one attempt, by the clock's `nowMs`. */
export interface AttemptTimes {
  readonly startedAtMs: number;
  /** It had its place on a connection; undefined while it waits. */
  readonly sentAtMs: number | undefined;
  /** The response began; 0 while it has not. */
  readonly headAtMs: number;
  /** It failed; undefined while it is open. */
  readonly endedAtMs: number | undefined;
  /** Bytes of the request that have not left yet. */
  readonly unsentBytes: number;
}

/** Splits a wait for a connection into phases, in order of time. */
export type SplitWait = (fromMs: number, toMs: number) => PhaseTime[];

/**
 * Where the time of a call went. The attempts of a hedged call overlap: a stretch of time counts for the one that was there
 * first. There is always at least one phase, and the last one is what the call was doing at `untilMs`; `isBackingOff` says that
 * it was waiting for the time of its next attempt.
 */
export function callPhases(
  startedAtMs: number,
  untilMs: number,
  attempts: readonly AttemptTimes[],
  splitWait: SplitWait,
  isBackingOff: boolean,
): PhaseTime[] {
  const phases: PhaseTime[] = [];
  let atMs = startedAtMs;
  const add = (phase: CallPhase, toMs: number): void => {
    const ms = Math.max(0, Math.min(toMs, untilMs) - atMs);
    const last = phases.at(-1);
    if (last?.phase === phase) phases[phases.length - 1] = { phase, ms: last.ms + ms };
    else phases.push({ phase, ms });
    atMs += ms;
  };
  for (const attempt of attempts) {
    const endMs = attempt.endedAtMs ?? untilMs;
    if (attempt.startedAtMs > atMs) add("backoff", attempt.startedAtMs);
    if (endMs < atMs) continue;
    const waitEndMs = attempt.sentAtMs ?? endMs;
    if (waitEndMs > atMs || attempt.sentAtMs === undefined) {
      for (const { phase, ms } of splitWait(atMs, waitEndMs)) add(phase, atMs + ms);
    }
    if (attempt.sentAtMs === undefined) continue;
    const headMs = attempt.headAtMs === 0 ? undefined : attempt.headAtMs;
    add(headMs === undefined && attempt.unsentBytes > 0 ? "send" : "first byte", headMs ?? endMs);
    if (headMs !== undefined) add("receive", endMs);
  }
  if (isBackingOff) add("backoff", untilMs);
  else add(phases.at(-1)?.phase ?? "pick", untilMs);
  return phases;
}

/** `connect 12, first byte 4988`; what took no time at all is left out, except the last. */
export function printPhases(phases: readonly PhaseTime[]): string {
  const printed: { phase: CallPhase; ms: number }[] = [];
  for (const [at, { phase, ms }] of phases.entries()) {
    if (Math.round(ms) === 0 && at < phases.length - 1) continue;
    const last = printed.at(-1);
    if (last?.phase === phase) last.ms += ms;
    else printed.push({ phase, ms });
  }
  return printed.map(({ phase, ms }) => `${phase} ${Math.round(ms)}`).join(", ");
}
