import type { ConnectError } from "@connectrpc/connect";
import type { MethodDefinition } from "../../call/method-definition.ts";
import { type AttemptTimes, callPhases, printPhases } from "../explain/call-phases.ts";
import { type AttemptExplanation, type CallPhase, keepExplanation, type PhaseTime } from "../explain/explanation.ts";
import { printCall } from "../explain/print.ts";
import { formatAddress } from "../naming/address-text.ts";
import { codeName } from "../retry/code-set.ts";
import type { Attempt } from "./attempt.ts";
import type { CallContext } from "./call-context.ts";
import type { RetryController } from "./retry-controller.ts";

/** A call as far as its explanation needs it. */
export interface ExplainedCall {
  readonly calls: CallContext;
  readonly method: MethodDefinition;
  readonly startedAtMs: number;
  readonly deadlineAtMs: number;
  readonly attempt: Attempt;
  readonly attempts: readonly Attempt[] | undefined;
  readonly repetition: RetryController | undefined;
}

/** Keeps with a call's error what is known of the call. Runs for every call that fails, and for no other. */
export function explainFailedCall(call: ExplainedCall, error: ConnectError): void {
  const { core, clock } = call.calls;
  const { history } = core;
  const nowMs = clock.nowMs();
  const phases = phasesOf(call, nowMs);
  const { policyName } = core;
  const reason = call.repetition?.reason;
  const facts = {
    target: core.target.text,
    method: call.method.path,
    status: codeName(error.code),
    phase: lastPhase(phases),
    elapsedMs: nowMs - call.startedAtMs,
    ...(call.deadlineAtMs > 0 && { timeoutMs: call.deadlineAtMs - call.startedAtMs }),
    phases,
    attempts: attemptsOf(call).map((attempt) => explainAttempt(call, attempt, error, nowMs)),
    ...(reason !== undefined && { notRepeated: reason }),
    state: core.state,
    ...(policyName !== undefined && { policy: policyName }),
    resolver: history.resolver(core.target.scheme, nowMs),
    endpoints: history.endpoints(),
  };
  let line: string | undefined;
  keepExplanation(error, {
    ...facts,
    // Few errors are ever printed.
    get line() {
      line ??= printCall(facts);
      return line;
    },
  });
}

/** What the call is doing and how its time was spent, for the end of the message of a local error. */
export function describeFailedCall(call: ExplainedCall): string {
  const nowMs = call.calls.clock.nowMs();
  const phases = phasesOf(call, nowMs);
  const spent = `${Math.round(nowMs - call.startedAtMs)} ms: ${printPhases(phases)}`;
  return ` while ${describePhase(call, lastPhase(phases))} (${spent})`;
}

function describePhase(call: ExplainedCall, phase: CallPhase): string {
  const { attempt, repetition } = call;
  switch (phase) {
    case "send":
      return `sending the request to ${endpointOf(attempt)}, which has stopped reading it (${attempt.unsentBytes} bytes are left)`;
    case "first byte":
      return `waiting for the response of ${endpointOf(attempt)}`;
    case "receive":
      return `receiving the response of ${endpointOf(attempt)}`;
    case "backoff": {
      const seconds = ((repetition?.nextAttemptInMs ?? 0) / 1000).toFixed(1);
      const failed = attempt.error === undefined ? "" : ` after ${attempt.error.message}`;
      return `waiting ${seconds} s more for attempt ${attempt.earlierAttempts + 2}${failed}`;
    }
    default:
      return call.calls.core.describeWait();
  }
}

function phasesOf(call: ExplainedCall, nowMs: number): PhaseTime[] {
  const { history } = call.calls.core;
  const isBackingOff = call.repetition?.nextAttemptInMs !== undefined && call.repetition.openAttempts.size === 0;
  return callPhases(
    call.startedAtMs,
    nowMs,
    attemptsOf(call).map((attempt) => timesOf(call, attempt)),
    (fromMs, toMs) => history.splitWait(fromMs, toMs),
    isBackingOff,
  );
}

function attemptsOf(call: ExplainedCall): readonly Attempt[] {
  return call.attempts ?? [call.attempt];
}

function timesOf(call: ExplainedCall, attempt: Attempt): AttemptTimes {
  const { startedAtMs, sentAtMs, headAtMs, endedAtMs } = attempt.timesSince(call.startedAtMs);
  return {
    startedAtMs,
    sentAtMs: sentAtMs === 0 ? undefined : sentAtMs,
    headAtMs,
    endedAtMs: endedAtMs === 0 ? undefined : endedAtMs,
    unsentBytes: attempt.unsentBytes,
  };
}

function lastPhase(phases: readonly PhaseTime[]): CallPhase {
  return phases.at(-1)?.phase ?? "pick";
}

function explainAttempt(
  call: ExplainedCall,
  attempt: Attempt,
  callError: ConnectError,
  nowMs: number,
): AttemptExplanation {
  const { startedAtMs, sentAtMs, endedAtMs } = attempt.timesSince(call.startedAtMs);
  const endMs = endedAtMs === 0 ? nowMs : endedAtMs;
  const error = attempt.error ?? callError;
  return {
    ...(attempt.pick !== undefined && { endpoint: endpointOf(attempt) }),
    status: codeName(error.code),
    message: error.rawMessage,
    startedAfterMs: startedAtMs - call.startedAtMs,
    waitedMs: (sentAtMs === 0 ? endMs : sentAtMs) - startedAtMs,
    durationMs: endMs - startedAtMs,
  };
}

function endpointOf(attempt: Attempt): string {
  return attempt.pick === undefined ? "no server" : formatAddress(attempt.pick.subchannel.address);
}
