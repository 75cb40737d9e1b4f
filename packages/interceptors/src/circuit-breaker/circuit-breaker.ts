import { Code, type ConnectError, type Interceptor, type StreamRequest, type UnaryRequest } from "@connectrpc/connect";
import { unavailable } from "@tercel/grpc/errors";
import { safeLog, thrownText } from "@tercel/grpc/internal";
import { LRUCache } from "lru-cache";
import { authorityOf } from "../call/authority-of.ts";
import { methodPath } from "../call/method-path.ts";
import { observeCalls } from "../call/observe-calls.ts";
import {
  callback,
  clockOption,
  codesOption,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  wholeNumber,
} from "../call/options.ts";
import { withMembers } from "../call/with-members.ts";
import { type Admitted, Circuit, type CircuitState } from "./circuit.ts";

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

export const circuitBreakerOptions = {
  /** This many failures within `windowMs` open the circuit, whatever else succeeds. Default: only `failureRate` counts. */
  failureThreshold: wholeNumber(1),
  /** This share of failures among at least `minCalls` calls within `windowMs` opens it; above 0, at most 1. Default 0.5. */
  failureRate: own<number>(
    "a number above 0 and at most 1",
    (value) => typeof value === "number" && value > 0 && value <= 1,
  ).or(0.5),
  /** The fewest calls whose share of failures counts. Default 20. */
  minCalls: wholeNumber(1).or(20),
  /** How long a call counts. Default 10,000 ms. */
  windowMs: wholeNumber(10).or(10_000),
  /** How long an open circuit refuses everything. Default 30,000 ms. */
  openMs: wholeNumber(1).or(30_000),
  /** How many calls then try, and have to succeed, before all are let through again. Default 3. */
  halfOpenCalls: wholeNumber(1).or(3),
  /**
   * The codes that count as failures. Default UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS: those that say that the
   * server is in trouble. All other codes count as successes, except for CANCELED, which does not count unless it is named here.
   */
  codes: codesOption().or([Code.Unknown, Code.DeadlineExceeded, Code.Internal, Code.Unavailable, Code.DataLoss]),
  /** Which calls share a circuit. Default: those of one method at one authority, `package.Service/Method@host:port`. */
  keyOf: callback<(request: UnaryRequest | StreamRequest) => string>().or(methodAtAuthority),
  /** Circuits that are kept; beyond, the one that was unused for longest is dropped. Default 1000. */
  maxCircuits: wholeNumber(1).or(1000),
  /** Called with each change. What it throws is logged and goes no further. */
  onStateChange: callback<(change: CircuitChange) => void>(),
  /** Gets what `onStateChange` throws. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type CircuitBreakerOptions = OptionsOf<typeof circuitBreakerOptions>;

/** An interceptor for a channel. Several channels may share it; `keyOf` decides which circuits they share. */
export interface CircuitBreaker extends Interceptor {
  /** "closed" for a key that no call has used. */
  state(key: string): CircuitState;
  /** All circuits, for a console or a metric; the one that was used last is the last. */
  circuits(): CircuitReport[];
}

const where = "createCircuitBreaker";

/**
 * Fails calls at once with UNAVAILABLE while the server keeps failing, instead of letting each wait for its deadline, and tries again with a
 * few of them. The error says when, as google.rpc.RetryInfo.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const settings = readOptions(where, circuitBreakerOptions, options);
  const { clock, keyOf, maxCircuits, onStateChange } = settings;
  const circuitSettings = { ...settings, failureThreshold: settings.failureThreshold ?? Number.POSITIVE_INFINITY };
  const log = safeLog(settings.log);
  const codes = new Set(settings.codes);
  // By size, and not by `max`: that would allocate the space of all circuits at once.
  const circuits = new LRUCache<string, Circuit>({ maxSize: maxCircuits, sizeCalculation: () => 1 });
  const nowMs = () => clock.nowMs();

  function circuitOf(key: string): Circuit {
    const known = circuits.get(key);
    if (known !== undefined) return known;
    const circuit = new Circuit(circuitSettings, (from, to) => changed({ key, from, to }));
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
      // The server works once it responds; a stream that stays open must not keep its circuit waiting.
      onResponse: () => call.succeeded(),
      onEnd(status) {
        if (codes.has(status as Code)) call.failed();
        else if (status === Code.Canceled) call.withdrawn();
        else call.succeeded();
      },
    };
  });

  // Async, so that a refusal is a rejection.
  const interceptor: Interceptor = (next) => {
    const observed = observing(next);
    return async (request) => observed(request);
  };
  return withMembers(interceptor, {
    state: (key: string) => circuits.peek(key)?.state(nowMs()) ?? "closed",
    circuits: () =>
      Array.from(circuits.rkeys(), (key) => {
        const circuit = circuits.peek(key) as Circuit;
        return { key, state: circuit.state(nowMs()), ...circuit.totals(nowMs()) };
      }),
  });
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
