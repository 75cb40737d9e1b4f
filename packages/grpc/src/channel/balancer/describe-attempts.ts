import { formatAddress } from "../naming/address-text.ts";
import type { Subchannel } from "../subchannel/index.ts";

/** An error message with a thousand addresses helps no one. */
const maxNamedAddresses = 16;

/** Names each address with what became of the last attempt and when the next one comes. */
export function describeAttempts(subchannels: readonly Subchannel[]): string {
  const named = subchannels.slice(0, maxNamedAddresses).map(describeAttempt);
  const others = subchannels.length - named.length;
  if (others > 0) named.push(`and ${others} more`);
  return named.join("; ");
}

function describeAttempt(subchannel: Subchannel): string {
  const { address, state, lastError, failedAttempts, nextAttemptInMs } = subchannel;
  const reason = lastError === undefined ? state : lastError.message;
  return `${formatAddress(address)}: ${reason}${describeNext(state, failedAttempts, nextAttemptInMs)}`;
}

function describeNext(state: Subchannel["state"], failedAttempts: number, nextAttemptInMs: number): string {
  switch (state) {
    case "transient_failure":
      return ` (attempt ${failedAttempts}, next in ${(nextAttemptInMs / 1000).toFixed(1)} s)`;
    case "connecting":
      return ` (attempt ${failedAttempts + 1} under way)`;
    default:
      return "";
  }
}
