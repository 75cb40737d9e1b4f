import { Code, type ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { type Clock, type Log, systemClock } from "@tercel/grpc";
import { unavailable } from "@tercel/grpc/errors";
import { checkWholeNumber, refuseUnknownOptions, safeLog, thrownText } from "@tercel/grpc/internal";
import { authorityOf } from "../call/authority-of.ts";
import { methodPath } from "../call/method-path.ts";
import { observeCalls } from "../call/observe-calls.ts";
import { type Admitted, Circuit, type CircuitSettings, type CircuitState } from "./circuit.ts";

/** A circuit has changed its state. */
export interface CircuitChange {
  /** As `keyOf` gave it. */
  readonly key: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
}

/** What a circuit looks like at the moment. */
export interface CircuitReport {
  readonly key: string;
  readonly state: CircuitState;
  /** Calls of the last `windowMs`, and how many of them failed. */
  readonly calls: number;
  readonly failures: number;
}

export interface CircuitBreakerOptions {
  /** This many failures within `windowMs` open the circuit, whatever else succeeds. Default: no such number, only `failureRate`. */
  failureThreshold?: number;
  /** This share of failures among at least `minCalls` calls within `windowMs` opens it. Default 0.5. */
  failureRate?: number;
  /** With fewer calls a share says nothing. Default 20. */
  minCalls?: number;
  /** How long a call counts. Default 10,000 ms. */
  windowMs?: number;
  /** How long an open circuit refuses everything. Default 30,000 ms. */
  openMs?: number;
  /** How many calls then try, and have to succeed, before all are let through again. Default 3. */
  halfOpenCalls?: number;
  /**
   * The codes that count as failures. Default UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS: those that say that the
   * other side is in trouble. All other codes count as successes, save CANCELED, which counts as nothing unless it is named here.
   */
  codes?: readonly Code[];
  /** Which calls share a circuit. Default: those of one method at one authority, `package.Service/Method@host:port`. */
  keyOf?: (request: UnaryRequest | StreamRequest) => string;
  /** Circuits kept; beyond, the one that was unused for longest is forgotten. Default 1000. */
  maxCircuits?: number;
  /** Called with each change. What it throws is logged and goes no further. */
  onStateChange?: (change: CircuitChange) => void;
  log?: Log;
  clock?: Clock;
}

export interface CircuitBreaker {
  /** For a channel. Several channels may share it; their circuits are apart as far as `keyOf` tells them apart. */
  readonly interceptor: Interceptor;
  /** "closed" for a key that no call has used. */
  state(key: string): CircuitState;
  /** All circuits, for a console or a metric. */
  circuits(): CircuitReport[];
}

const defaultCodes = [Code.Unknown, Code.DeadlineExceeded, Code.Internal, Code.Unavailable, Code.DataLoss];

const optionNames = [
  "failureThreshold",
  "failureRate",
  "minCalls",
  "windowMs",
  "openMs",
  "halfOpenCalls",
  "codes",
  "keyOf",
  "maxCircuits",
  "onStateChange",
  "log",
  "clock",
] as const;

/**
 * Fails calls at once with UNAVAILABLE while the other side keeps failing, instead of letting each wait for its deadline, and tries
 * again by a few of them. The error says when, as google.rpc.RetryInfo.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const settings = checkedSettings(options);
  const { clock = systemClock, keyOf = methodAtAuthority, maxCircuits = 1000, onStateChange } = options;
  const log = safeLog(options.log);
  const codes = new Set(options.codes ?? defaultCodes);
  const circuits = new Map<string, Circuit>();
  const nowMs = () => clock.nowMs();

  function circuitOf(key: string): Circuit {
    const known = circuits.get(key);
    if (known !== undefined) return known;
    if (circuits.size >= maxCircuits) circuits.delete(longestUnused(circuits));
    const circuit = new Circuit(settings, (from, to) => changed({ key, from, to }));
    circuits.set(key, circuit);
    return circuit;
  }

  function changed(change: CircuitChange): void {
    try {
      onStateChange?.(change);
    } catch (error) {
      log.error("onStateChange failed", { key: change.key, error: thrownText(error) });
    }
  }

  function admit(request: UnaryRequest | StreamRequest): Admitted {
    const key = keyOf(request);
    const answer = circuitOf(key).admit(nowMs);
    if ("retryAfterMs" in answer) throw refusal(key, answer.retryAfterMs);
    return answer;
  }

  const observing = observeCalls("client", (request) => {
    const call = admit(request);
    return {
      // The other side works once it answers; a stream that stays open must not keep its circuit waiting.
      onResponse: () => call.succeeded(),
      onEnd(status) {
        if (codes.has(status as Code)) call.failed();
        else if (status === Code.Canceled) call.withdrawn();
        else call.succeeded();
      },
    };
  });

  return {
    // Async, so that a refusal is a rejection.
    interceptor: (next) => {
      const observed = observing(next);
      return async (request) => observed(request);
    },
    state: (key) => circuits.get(key)?.state(nowMs()) ?? "closed",
    circuits: () =>
      [...circuits].map(([key, circuit]) => ({ key, state: circuit.state(nowMs()), ...circuit.totals(nowMs()) })),
  };
}

function methodAtAuthority(request: UnaryRequest | StreamRequest): string {
  return `${methodPath(request)}@${authorityOf(request.url) ?? ""}`;
}

function refusal(key: string, retryAfterMs: number): ConnectError {
  const when = retryAfterMs > 0 ? `it tries again in ${Math.ceil(retryAfterMs)} ms` : "it is being tried at the moment";
  return unavailable({
    message: `not sent: the circuit of ${key} is open, because too many calls failed; ${when}`,
    reason: "CIRCUIT_OPEN",
    domain: "tercel",
    // Trials run now; the next moment may be better.
    retryAfterMs: retryAfterMs > 0 ? Math.ceil(retryAfterMs) : 100,
  });
}

function longestUnused(circuits: ReadonlyMap<string, Circuit>): string {
  let found = "";
  let sinceMs = Number.POSITIVE_INFINITY;
  for (const [key, { lastUsedAtMs }] of circuits) {
    if (lastUsedAtMs >= sinceMs) continue;
    found = key;
    sinceMs = lastUsedAtMs;
  }
  return found;
}

function checkedSettings(options: CircuitBreakerOptions): CircuitSettings {
  const where = "createCircuitBreaker";
  refuseUnknownOptions(where, options, optionNames);
  const most = Number.MAX_SAFE_INTEGER;
  checkWholeNumber(where, "failureThreshold", options.failureThreshold, 1, most);
  checkWholeNumber(where, "minCalls", options.minCalls, 1, most);
  checkWholeNumber(where, "windowMs", options.windowMs, 10, most);
  checkWholeNumber(where, "openMs", options.openMs, 1, most);
  checkWholeNumber(where, "halfOpenCalls", options.halfOpenCalls, 1, most);
  checkWholeNumber(where, "maxCircuits", options.maxCircuits, 1, most);
  const { failureRate = 0.5 } = options;
  if (!(failureRate > 0 && failureRate <= 1)) {
    throw new RangeError(`${where}: failureRate is ${String(failureRate)}; it has to be above 0 and at most 1`);
  }
  return {
    failureThreshold: options.failureThreshold ?? Number.POSITIVE_INFINITY,
    failureRate,
    minCalls: options.minCalls ?? 20,
    windowMs: options.windowMs ?? 10_000,
    openMs: options.openMs ?? 30_000,
    halfOpenCalls: options.halfOpenCalls ?? 3,
  };
}
