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

/** A change of a circuit's state. */
export interface CircuitChange {
  /** The key from `keyOf`. */
  readonly key: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
}

/** The current state of a circuit. */
export interface CircuitReport {
  readonly key: string;
  readonly state: CircuitState;
  /** The number of calls within the last `windowMs`. */
  readonly calls: number;
  /** How many of them failed. */
  readonly failures: number;
}

export const circuitBreakerOptions = {
  /** Opens the circuit after this many failures within `windowMs`, whatever else succeeds. Default: only `failureRate` applies. */
  failureThreshold: wholeNumber(1),
  /** Opens the circuit at this share of failures among at least `minCalls` calls within `windowMs`; above 0, at most 1. Default 0.5. */
  failureRate: own<number>(
    "a number above 0 and at most 1",
    (value) => typeof value === "number" && value > 0 && value <= 1,
  ).or(0.5),
  /** The minimum number of calls for `failureRate`. Default 20. */
  minCalls: wholeNumber(1).or(20),
  /** The length of the window in which calls count. Default 10,000 ms. */
  windowMs: wholeNumber(10).or(10_000),
  /** How long an open circuit rejects all calls. Default 30,000 ms. */
  openMs: wholeNumber(1).or(30_000),
  /** The number of trial calls after that, which must all succeed before the circuit closes. Default 3. */
  halfOpenCalls: wholeNumber(1).or(3),
  /**
   * The codes that count as failures. Default UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE and DATA_LOSS, which indicate a problem of the
   * server. All other codes count as successes, except for CANCELED, which does not count unless it is listed here.
   */
  codes: codesOption().or([Code.Unknown, Code.DeadlineExceeded, Code.Internal, Code.Unavailable, Code.DataLoss]),
  /** Returns the key of a call's circuit. Default: one circuit for each method and authority, `package.Service/Method@host:port`. */
  keyOf: callback<(request: UnaryRequest | StreamRequest) => string>().or(methodAtAuthority),
  /** The maximum number of circuits. The least recently used one is dropped. Default 1000. */
  maxCircuits: wholeNumber(1).or(1000),
  /** Called for each change of a state. Errors that it throws are logged and ignored. */
  onStateChange: callback<(change: CircuitChange) => void>(),
  /** Receives the errors of `onStateChange`. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type CircuitBreakerOptions = OptionsOf<typeof circuitBreakerOptions>;

/** A circuit-breaking interceptor for a channel. Several channels may share it; `keyOf` decides which circuits they share. */
export interface CircuitBreaker extends Interceptor {
  /** Returns the state of a circuit; "closed" for an unknown key. */
  state(key: string): CircuitState;
  /** Returns all circuits, for a console or metrics, with the most recently used one last. */
  circuits(): CircuitReport[];
}

const where = "createCircuitBreaker";

/**
 * Creates an interceptor that fails calls at once with UNAVAILABLE while the server keeps failing, instead of letting each wait for its
 * deadline. After `openMs`, it lets a few trial calls through. The error has the time of the next trial in google.rpc.RetryInfo. A stream
 * counts as a success with its first response, whatever its status.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createCircuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const settings = readOptions(where, circuitBreakerOptions, options);
  const { clock, keyOf, maxCircuits, onStateChange } = settings;
  const circuitSettings = { ...settings, failureThreshold: settings.failureThreshold ?? Number.POSITIVE_INFINITY };
  const log = safeLog(settings.log);
  const codes = new Set(settings.codes);
  // `maxSize`, because `max` would allocate the space for all circuits at once.
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
      // A response shows that the server works. Waiting for the end of a stream would keep a trial open for too long.
      onResponse: () => call.succeeded(),
      onEnd(status) {
        if (codes.has(status as Code)) call.failed();
        else if (status === Code.Canceled) call.withdrawn();
        else call.succeeded();
      },
    };
  });

  // Async, so that an error of `admit` becomes a rejection.
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
  const when = retryAfterMs > 0 ? `the next trial is in ${Math.ceil(retryAfterMs)} ms` : "trial calls are running";
  return unavailable({
    message: `not sent: the circuit of ${key} is open because too many calls failed; ${when}`,
    reason: "CIRCUIT_OPEN",
    domain: "tercel",
    // Trials are running, so a retry may succeed soon.
    retryAfterMs: retryAfterMs > 0 ? Math.ceil(retryAfterMs) : 100,
  });
}
