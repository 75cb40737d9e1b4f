import { printPhases } from "./call-phases.ts";
import type { CallExplanation, ChannelExplanation, EndpointExplanation, ResolverExplanation } from "./explanation.ts";

/** A call's failure in one line, for a log. */
export function printCall(call: Omit<CallExplanation, "line">): string {
  const parts = [
    `${call.method} at "${call.target}" failed with ${call.status} after ${Math.round(call.elapsedMs)} ms (${printPhases(call.phases)})`,
  ];
  if (call.timeoutMs !== undefined) parts.push(`deadline ${Math.round(call.timeoutMs)} ms`);
  const [only] = call.attempts;
  if (call.attempts.length > 1) {
    const attempts = call.attempts.map(
      ({ endpoint, status, durationMs }, at) =>
        `${at + 1}. ${endpoint ?? "no connection"} ${status} ${Math.round(durationMs)} ms`,
    );
    parts.push(`attempts: ${attempts.join(", ")}`);
  } else if (only !== undefined) {
    parts.push(only.endpoint === undefined ? "sent nowhere" : `sent to ${only.endpoint}`);
  }
  if (call.notRepeated !== undefined) parts.push(`not repeated: ${call.notRepeated}`);
  parts.push(printState(call));
  return parts.join("; ");
}

/** A channel's state in one line. */
export function printChannel(channel: Omit<ChannelExplanation, "line">): string {
  const { calls, lastErrors } = channel;
  const parts = [`"${channel.target}": ${printState(channel)}`];
  parts.push(
    `calls: ${calls.open} open (${calls.waiting} waiting), ${calls.succeeded} succeeded, ${calls.failed} failed`,
  );
  const [latest] = lastErrors;
  if (latest !== undefined)
    parts.push(`last error ${Math.round(latest.msAgo)} ms ago: ${latest.status} ${latest.message}`);
  return parts.join("; ");
}

interface StateFacts {
  readonly state: string;
  readonly policy?: string;
  readonly resolver: ResolverExplanation;
  readonly endpoints: readonly EndpointExplanation[];
}

function printState({ state, policy, resolver, endpoints }: StateFacts): string {
  const by = policy === undefined ? "" : ` (${policy})`;
  return `channel ${state}${by}; ${printResolver(resolver)}${printEndpoints(endpoints)}`;
}

function printResolver({ scheme, endpoints, resolvedMsAgo, lastError }: ResolverExplanation): string {
  const found =
    endpoints === undefined || resolvedMsAgo === undefined
      ? "nothing found yet"
      : `${endpoints} endpoint${endpoints === 1 ? "" : "s"} found ${Math.round(resolvedMsAgo)} ms ago`;
  return `${scheme}: ${found}${lastError === undefined ? "" : `, last error: ${lastError}`}`;
}

function printEndpoints(endpoints: readonly EndpointExplanation[]): string {
  if (endpoints.length === 0) return "";
  const printed = endpoints.map(({ address, state, lastError }) =>
    lastError === undefined ? `${address} ${state}` : `${address} ${state} (${lastError})`,
  );
  return `; ${printed.join(", ")}`;
}
