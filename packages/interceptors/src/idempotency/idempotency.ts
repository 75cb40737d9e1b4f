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

/** The length of the digest. A shorter secret would be weaker than the HMAC. */
const minSecretBytes = 32;

export const idempotencyOptions = {
  /** The store of keys and responses. Required. */
  store: withMethods<IdempotencyStore>(
    "a store, for example createMemoryIdempotencyStore()",
    "begin",
    "complete",
  ).required(),
  /** The string field with the key, unless `methods` or the proto sets another. Default `idempotency_key`. */
  field: text().or("idempotency_key"),
  /** The name of the metadata with the key, for requests without the field or with an empty one. Default `idempotency-key`. */
  header: headerOption().or(idempotencyHeader),
  /** Whether calls without a key are rejected, unless `methods` or the proto decides. Default false: they run without protection. */
  required: flag().or(false),
  /**
   * Rules by method; false ignores the keys of a method's calls. They take precedence over the options of `tercel.idempotency.v1` in the proto.
   * Default: none.
   */
  methods: own<ByMethod<IdempotencyRule | false>>("an object with rules by method").or({}),
  /** Services whose options in the proto are checked at the start, not at the first call. Default: none. */
  services: servicesOption(),
  /**
   * Returns the caller. The keys of different callers are independent, so that no caller gets the response of another. Default: the
   * `authorization` metadata, and the workload that `createMtls` or `createServiceKeyGuard` has identified. Set it if tokens can change between
   * a call and its retry, or if something else identifies callers.
   */
  callerOf: callback<(request: UnaryRequest) => string | undefined>().or(callerOfCall),
  /**
   * At least 32 random bytes, the same on all instances. With a secret, the store contains an HMAC-SHA-256 of each request. Default: none, and
   * the store contains a plain SHA-256, from which a reader of the store can guess a password or card number in a request. After a change of
   * the secret, retries of earlier calls are rejected as different requests; they do not run again.
   */
  secret: own<Uint8Array>(
    `a Uint8Array of at least ${minSecretBytes} random bytes`,
    (value) => value instanceof Uint8Array && value.length >= minSecretBytes,
  ),
  /** How long a response is stored. Default 86,400,000 ms (24 hours). */
  ttlMs: wholeNumber(1).or(24 * 60 * 60 * 1000),
  /** How long a key stays locked if its instance stops renewing the lease; after that, a retry runs. Default 30,000 ms. */
  leaseMs: wholeNumber(1).or(30_000),
  /** The interval for polling the store while another instance runs the call. Default 100 ms. */
  pollMs: wholeNumber(1).or(100),
  /** How long to wait for the response of another instance before failing with UNAVAILABLE, if the deadline is not sooner. Default 30,000 ms. */
  maxWaitMs: wholeNumber(0).or(30_000),
  /**
   * The codes of errors that are stored and returned again. Default INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION and
   * OUT_OF_RANGE. After any other error, the next call with the key runs.
   */
  storedCodes: codesOption().or([
    Code.InvalidArgument,
    Code.NotFound,
    Code.AlreadyExists,
    Code.FailedPrecondition,
    Code.OutOfRange,
  ]),
  /** Receives the failures of the store. Default: standard error. */
  log: logOption(),
  /** For tests. */
  clock: clockOption(),
};

export type IdempotencyOptions = OptionsOf<typeof idempotencyOptions>;

/**
 * Creates a server interceptor for unary calls that must not run twice. The first call with a key runs. The same request with the same key
 * gets the same response, and waits for it if the first call still runs. A different request with that key fails with FAILED_PRECONDITION.
 * Streams, and methods that declare no side effects, are not changed.
 *
 * While the store cannot be reached, calls with keys fail with UNAVAILABLE and do not run.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createIdempotency(options: IdempotencyOptions): Interceptor {
  const settings = checkedSettings(options);
  const { store, header, callerOf, fingerprintOf, storedCodes, leaseMs, ttlMs, log, clock } = settings;
  const flights = new InFlight();
  const failures = new FailureLog(log, clock);

  async function respond(request: UnaryRequest, key: string, next: ReturnType<Interceptor>): Promise<UnaryResponse> {
    const method = methodPath(request);
    // Only digests are stored, because keys may be guessable and callers contain credentials.
    const id = digest(JSON.stringify([callerOf(request) ?? "", method, key]));
    const fingerprint = fingerprintOf(toBinary(request.method.input as DescMessage, request.message as Message));
    for (;;) {
      const flight = flights.get(id);
      if (flight === undefined) return lead(request, id, fingerprint, method, next);
      if (flight.fingerprint !== fingerprint) throw reused(key);
      const shared = await orAborted(flight.landed, request.signal);
      if (shared !== undefined) return replay(request, shared);
      // The first call has failed, so this one may run.
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
      // The call has run, so the client gets its response even if it cannot be stored.
      const isStored = await attempt("complete", method, () => store.complete(id, owner, written, ttlMs));
      if (isStored === false) log.warn("response not stored: the lease of its idempotency key was lost", { method });
      if (given instanceof ConnectError) throw given;
      return given;
    } finally {
      land(shared);
    }
  }

  /** Returns the stored response; undefined if this call must run. */
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

  /** Renews three times per lease, so that a renewal may fail. */
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
        description: `must be set, or the header ${header}: the method requires an idempotency key`,
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
  // A copy, because a later change of the array would make every retry a different request.
  const key = Uint8Array.from(secret);
  return (request) => createHmac("sha256", key).update(request).digest("base64url");
}

function digest(data: string | Uint8Array): string {
  return hash("sha256", data, "base64url");
}

function reused(key?: string): ConnectError {
  const subject = key === undefined ? "idempotency key" : `idempotency key ${JSON.stringify(key)}`;
  return failedPrecondition({
    message: `this ${subject} was used for a different request; use a new key for each request`,
    reason: "IDEMPOTENCY_KEY_REUSED",
    domain: "tercel",
  });
}
