import type { ConnectError } from "@connectrpc/connect";
import { formatAddress } from "../naming/address-text.ts";
import { codeName } from "../retry/code-set.ts";
import type { ConnectivityState } from "../subchannel/connectivity.ts";
import type { Subchannel } from "../subchannel/index.ts";
import {
  type ChannelExplanation,
  type EndpointExplanation,
  maxExplainedEndpoints,
  type PhaseTime,
  type ResolverExplanation,
} from "./explanation.ts";

interface KeptError {
  readonly status: string;
  readonly message: string;
  count: number;
  atMs: number;
}

const maxKeptErrors = 8;
/** A server's text can be long. */
const maxKeptMessageLength = 512;

/** What a channel remembers of itself for explanations. Its methods cost little; describing costs more. */
export class ChannelHistory {
  /** The channel left idle mode. */
  private activeSinceMs = 0;
  private resolvedAtMs: number | undefined = undefined;
  private resolvedEndpoints: number | undefined = undefined;
  private resolverError: string | undefined = undefined;
  /** The state `ready` began; undefined in any other. */
  private readySinceMs: number | undefined = undefined;
  private readonly subchannels = new Set<Subchannel>();
  /** What `endpoints` last made, until something changes. */
  private described: readonly EndpointExplanation[] | undefined = undefined;
  private readonly errors: KeptError[] = [];
  /** By the clock's `nowMs`; 0 before the first call. */
  lastStartedAtMs = 0;
  started = 0;
  succeeded = 0;
  failed = 0;

  activated(nowMs: number): void {
    this.activeSinceMs = nowMs;
    this.resolvedAtMs = undefined;
    this.resolvedEndpoints = undefined;
    this.resolverError = undefined;
  }

  resolved(endpoints: number, nowMs: number): void {
    this.resolvedAtMs = nowMs;
    this.resolvedEndpoints = endpoints;
    this.resolverError = undefined;
    this.forgetShutDown();
  }

  resolutionFailed(error: ConnectError): void {
    this.resolverError = error.rawMessage;
  }

  entered(state: ConnectivityState, nowMs: number): void {
    if (state === "ready") this.readySinceMs ??= nowMs;
    else this.readySinceMs = undefined;
  }

  subchannelMade(subchannel: Subchannel): void {
    this.subchannels.add(subchannel);
    this.described = undefined;
  }

  subchannelChanged(): void {
    this.described = undefined;
  }

  callFailed(error: ConnectError, nowMs: number): void {
    this.failed++;
    const status = codeName(error.code);
    const message = error.rawMessage.slice(0, maxKeptMessageLength);
    const latest = this.errors.at(-1);
    if (latest?.status === status && latest.message === message) {
      latest.count++;
      latest.atMs = nowMs;
      return;
    }
    this.errors.push({ status, message, count: 1, atMs: nowMs });
    if (this.errors.length > maxKeptErrors) this.errors.shift();
  }

  /** What a call waited for from one moment to another: the name, a connection, or a place on one. */
  splitWait(fromMs: number, toMs: number): PhaseTime[] {
    const phases: PhaseTime[] = [];
    let atMs = fromMs;
    const add = (phase: PhaseTime["phase"], untilMs: number): void => {
      const ms = Math.min(untilMs, toMs) - atMs;
      if (ms <= 0) return;
      phases.push({ phase, ms });
      atMs += ms;
    };
    add("resolve", this.resolvedAtMs ?? toMs);
    add("connect", this.readySinceMs ?? toMs);
    add("pick", toMs);
    if (phases.length === 0) {
      const phase = this.resolvedAtMs === undefined ? "resolve" : this.readySinceMs === undefined ? "connect" : "pick";
      phases.push({ phase, ms: 0 });
    }
    return phases;
  }

  resolver(scheme: string, nowMs: number): ResolverExplanation {
    return {
      scheme,
      ...(this.resolvedEndpoints !== undefined && { endpoints: this.resolvedEndpoints }),
      ...(this.resolvedAtMs !== undefined && { resolvedMsAgo: nowMs - this.resolvedAtMs }),
      ...(this.resolverError !== undefined && { lastError: this.resolverError }),
    };
  }

  /** At most `maxExplainedEndpoints`, as they were when a state last changed. */
  endpoints(): readonly EndpointExplanation[] {
    if (this.described !== undefined) return this.described;
    this.forgetShutDown();
    const described: EndpointExplanation[] = [];
    for (const subchannel of this.subchannels) {
      if (described.length === maxExplainedEndpoints) break;
      described.push(describeSubchannel(subchannel));
    }
    this.described = described;
    return described;
  }

  lastErrors(nowMs: number): ChannelExplanation["lastErrors"] {
    return this.errors
      .map(({ status, message, count, atMs }) => ({ status, message, count, msAgo: nowMs - atMs }))
      .reverse();
  }

  /** Those that are not shut down, oldest first. */
  liveSubchannels(): Iterable<Subchannel> {
    this.forgetShutDown();
    return this.subchannels;
  }

  /** Since when the channel is not idle. */
  get activeSince(): number {
    return this.activeSinceMs;
  }

  /** Balancers shut their subchannels down by themselves, without telling. */
  private forgetShutDown(): void {
    for (const subchannel of this.subchannels) {
      if (subchannel.state === "shutdown") this.subchannels.delete(subchannel);
    }
    this.described = undefined;
  }
}

export function describeSubchannel(subchannel: Subchannel): EndpointExplanation {
  const { address, state, failedAttempts, lastError, connection } = subchannel;
  return {
    address: formatAddress(address),
    state,
    openCalls: connection?.openCalls ?? 0,
    failedAttempts,
    ...(lastError !== undefined && { lastError: lastError.message }),
  };
}
