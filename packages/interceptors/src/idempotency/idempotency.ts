import { createHmac, hash, randomUUID } from "node:crypto";
import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";
import { failedPrecondition, invalidArgument, unavailable } from "@tercel/grpc/errors";
import { readHeader } from "@tercel/grpc/hooks";
import { safeLog } from "@tercel/grpc/internal";
import { callerKey } from "../call/caller.ts";
import { methodPath } from "../call/method-path.ts";
import type { ByMethod } from "../call/method-selector.ts";
import {
  callback,
  clockOption,
  codesOption,
  flag,
  headerOption,
  logOption,
  type OptionsOf,
  own,
  readOptions,
  servicesOption,
  text,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import { orAborted } from "../call/or-aborted.ts";
import { pauseOrAborted } from "../call/pause-or-aborted.ts";
import { FailureLog, type StoreStep } from "./failure-log.ts";
import { idempotencyHeader, readKey } from "./idempotency-key.ts";
import { InFlight } from "./in-flight.ts";
import { createKeyRules, type IdempotencyRule } from "./key-rules.ts";
import type { IdempotencyStore } from "./store.ts";
import { replay, writeError, writeResponse } from "./stored-response.ts";

/** As long as the digest: a shorter one could be guessed. */
const minSecretBytes = 32;

export const idempotencyOptions = {
  /** Where keys and responses are kept. Required. */
  store: withMethods<IdempotencyStore>(
    "a store, for example createMemoryIdempotencyStore()",
    "begin",
    "complete",
  ).required(),
  /** The string field that carries the key where neither `methods` nor the proto names one. Default `idempotency_key`. */
  field: text().or("idempotency_key"),
  /** The metadata that carries the key where the request has no such field, or leaves it empty. Default `idempotency-key`. */
  header: headerOption().or(idempotencyHeader),
  /** Whether calls without a key are refused where neither `methods` nor the proto says so. Default false: they just run. */
  required: flag().or(false),
  /**
   * What differs by method; false leaves the keys of its calls unread. Takes precedence over what the proto says by the options of
   * `tercel.idempotency.v1`. Default: nothing differs.
   */
  methods: own<ByMethod<IdempotencyRule | false>>("an object with rules by method").or({}),
  /** The services that are served: what their protos say is checked at the start, not with the first call. Default: none. */
  services: servicesOption(),
  /**
   * The caller: keys of different callers are different keys, and no caller gets a response that was another's. Default: the `authorization`
   * metadata, and the workload that `createMtls` or `createServiceKeyGuard` has identified. Set it where tokens change between a call and its
   * retry, or where callers are known by something else.
   */
  callerOf: callback<(request: UnaryRequest) => string | undefined>().or(callerOfCall),
  /**
   * At least 32 random bytes, the same on every instance. With it the store holds an HMAC-SHA-256 of each request. Default: none, and the
   * store holds a plain SHA-256, from which anyone who reads the store can guess a request that holds a password or a card number.
   * After a change of it, a repetition of an earlier call is refused as another request; it does not run again.
   */
  secret: own<Uint8Array>(
    `a Uint8Array of at least ${minSecretBytes} random bytes`,
    (value) => value instanceof Uint8Array && value.length >= minSecretBytes,
  ),
  /** How long a response is kept. Default 86,400,000 ms (24 hours). */
  ttlMs: wholeNumber(1).or(24 * 60 * 60 * 1000),
  /** How long a key is held for an instance that no longer renews its lease; then the call runs again. Default 30,000 ms. */
  leaseMs: wholeNumber(1).or(30_000),
  /** How often the store is asked for the response of a call that another instance runs. Default 100 ms. */
  pollMs: wholeNumber(1).or(100),
  /** How long to wait for such a response before the call fails with UNAVAILABLE; its deadline may be sooner. Default 30,000 ms. */
  maxWaitMs: wholeNumber(0).or(30_000),
  /**
   * Errors that are kept and given again. Default INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION and OUT_OF_RANGE. After
   * any other error the next call with the key runs.
   */
  storedCodes: codesOption().or([
    Code.InvalidArgument,
    Code.NotFound,
    Code.AlreadyExists,
    Code.FailedPrecondition,
    Code.OutOfRange,
  ]),
  /** Gets what fails of the store. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type IdempotencyOptions = OptionsOf<typeof idempotencyOptions>;

/**
 * A server interceptor for unary calls that must not run twice. The first call with a key runs; the same request with the same key
 * gets the same response, and waits for it if need be; another request with that key is refused with FAILED_PRECONDITION. Methods that
 * declare no side effects, and streams, pass.
 *
 * When the store cannot be reached, calls with keys fail with UNAVAILABLE and do not run.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createIdempotency(options: IdempotencyOptions): Interceptor {
  const settings = checkedSettings(options);
  const { store, header, callerOf, fingerprintOf, storedCodes, leaseMs, ttlMs, log, clock } = settings;
  const flights = new InFlight();
  const failures = new FailureLog(log, clock);

  async function respond(request: UnaryRequest, key: string, next: ReturnType<Interceptor>): Promise<UnaryResponse> {
    const method = methodPath(request);
    // Only digests leave the process: keys may be guessable, and callers are credentials.
    const id = digest(JSON.stringify([callerOf(request) ?? "", method, key]));
    const fingerprint = fingerprintOf(toBinary(request.method.input as DescMessage, request.message as Message));
    for (;;) {
      const flight = flights.get(id);
      if (flight === undefined) return lead(request, id, fingerprint, method, next);
      if (flight.fingerprint !== fingerprint) throw reused(key);
      const shared = await orAborted(flight.landed, request.signal);
      if (shared !== undefined) return replay(request, shared);
      // The call that was waited for failed, so this one may run.
    }
  }

  async function lead(
    request: UnaryRequest,
    id: string,
    fingerprint: string,
    method: string,
    next: ReturnType<Interceptor>,
  ): Promise<UnaryResponse> {
    const land = flights.start(id, fingerprint);
    const owner = randomUUID();
    let shared: Uint8Array | undefined;
    try {
      shared = await begin(request, id, fingerprint, owner);
      if (shared !== undefined) return replay(request, shared);
      const stopRenewing = keepLease(id, owner, method);
      let given: UnaryResponse | ConnectError;
      try {
        given = (await next(request)) as UnaryResponse;
      } catch (error) {
        if (!(error instanceof ConnectError) || !storedCodes.has(error.code)) {
          await attempt("release", method, () => store.release(id, owner));
          throw error;
        }
        given = error;
      } finally {
        stopRenewing();
      }
      shared = given instanceof ConnectError ? writeError(given) : writeResponse(given);
      const written = shared;
      // The call has run: the client gets its response even if it cannot be stored.
      const isStored = await attempt("complete", method, () => store.complete(id, owner, written, ttlMs));
      if (isStored === false) log.warn("the response of a call was not stored: its lease was lost", { method });
      if (given instanceof ConnectError) throw given;
      return given;
    } finally {
      land(shared);
    }
  }

  /** The stored response; undefined when this call must run. */
  async function begin(
    request: UnaryRequest,
    id: string,
    fingerprint: string,
    owner: string,
  ): Promise<Uint8Array | undefined> {
    const untilMs = clock.nowMs() + settings.maxWaitMs;
    for (;;) {
      const begun = await reach(request, () => store.begin(id, fingerprint, owner, leaseMs));
      if (begun.state === "begun") return undefined;
      if (begun.fingerprint !== fingerprint) throw reused();
      if (begun.state === "done") return begun.response;
      if (clock.nowMs() >= untilMs) {
        const message = "the first call with this idempotency key is still running";
        throw unavailable({ message, reason: "IDEMPOTENCY_KEY_RUNNING", domain: "tercel", retryAfterMs: 1000 });
      }
      await pauseOrAborted(clock, settings.pollMs, request.signal);
    }
  }

  async function reach<R>(request: UnaryRequest, use: () => Promise<R>): Promise<R> {
    try {
      return await use();
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      failures.report("begin", methodPath(request), error);
      throw unavailable({ message: "not run: idempotency keys cannot be looked up at the moment", cause: error });
    }
  }

  async function attempt<R>(step: StoreStep, method: string, use: () => Promise<R>): Promise<R | undefined> {
    try {
      return await use();
    } catch (error) {
      failures.report(step, method, error);
      return undefined;
    }
  }

  /** Three renewals in the time of a lease, so that one may get lost. */
  function keepLease(id: string, owner: string, method: string): () => void {
    const everyMs = Math.max(1, Math.floor(leaseMs / 3));
    let isOver = false;
    let cancelTimer = clock.after(everyMs, renew);
    function renew(): void {
      void attempt("renew", method, () => store.renew(id, owner, leaseMs)).then(() => {
        if (!isOver) cancelTimer = clock.after(everyMs, renew);
      });
    }
    return () => {
      isOver = true;
      cancelTimer();
    };
  }

  return (next) => async (request) => {
    if (request.stream || request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) {
      return next(request);
    }
    const rule = settings.ruleOf(request.method);
    if (rule === "exempt") return next(request);
    const key = readKey(request, rule, header);
    if (key !== undefined) return respond(request, key, next);
    if (rule.required) {
      throw invalidArgument({
        field: rule.field,
        description: `has to be set, or the header ${header}: the call must not happen twice`,
      });
    }
    return next(request);
  };
}

function checkedSettings(options: IdempotencyOptions) {
  const where = "createIdempotency";
  const given = readOptions(where, idempotencyOptions, options);
  const { field, required, methods, services } = given;
  return {
    ...given,
    ruleOf: createKeyRules(where, { field, required, methods, services }),
    fingerprintOf: createFingerprint(given.secret),
    storedCodes: new Set(given.storedCodes),
    log: safeLog(given.log),
  };
}

function callerOfCall(request: UnaryRequest): string | undefined {
  const authorization = readHeader(request, "authorization") ?? undefined;
  const caller = request.contextValues.get(callerKey);
  return caller === undefined ? authorization : JSON.stringify([caller.kind, caller.name, authorization]);
}

function createFingerprint(secret: Uint8Array | undefined): (request: Uint8Array) => string {
  if (secret === undefined) return digest;
  // A copy: a secret that was changed later would make every repetition another request.
  const key = Uint8Array.from(secret);
  return (request) => createHmac("sha256", key).update(request).digest("base64url");
}

function digest(data: string | Uint8Array): string {
  return hash("sha256", data, "base64url");
}

function reused(key?: string): ConnectError {
  const subject = key === undefined ? "idempotency key" : `idempotency key ${JSON.stringify(key)}`;
  return failedPrecondition({
    message: `this ${subject} was used for another request; a new request needs a new key`,
    reason: "IDEMPOTENCY_KEY_REUSED",
    domain: "tercel",
  });
}
