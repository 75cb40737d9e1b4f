import { Code, ConnectError } from "@connectrpc/connect";
import { refuseUnknownOptions } from "../options/check-options.ts";
import {
  type CommonDetails,
  createDetails,
  type FieldViolation,
  type OutgoingDetail,
  type PreconditionViolation,
  type QuotaViolation,
  type RateLimit,
  type Resource,
  toResource,
} from "./error-details.ts";

/** What every function here takes. */
export interface ErrorInit extends CommonDetails {
  /** The text for the caller. Default: made of the details. */
  readonly message?: string;
  /** What went wrong underneath. It stays on this side: it is never sent. */
  readonly cause?: unknown;
  /** Detail messages of your own, in Connect's form. */
  readonly details?: readonly OutgoingDetail[];
}

/** One wrong field, or several. */
export type InvalidArgumentInit = ErrorInit &
  (Partial<FieldViolation> | { readonly violations: readonly FieldViolation[] });

export interface ResourceErrorInit extends ErrorInit {
  /** What the error is about: its name, such as `users/7`, or more. */
  readonly resource?: string | Resource;
}

export interface FailedPreconditionInit extends ErrorInit {
  readonly preconditions?: readonly PreconditionViolation[];
}

export interface ResourceExhaustedInit extends ErrorInit {
  readonly quota?: readonly QuotaViolation[];
  /** Also sent as common.v1.RateLimitInfo, with `retryAfterMs` in whole seconds. */
  readonly rateLimit?: RateLimit;
}

const commonNames = [
  "message",
  "cause",
  "details",
  "reason",
  "domain",
  "metadata",
  "retryAfterMs",
  "localizedMessage",
  "help",
  "requestId",
  "debug",
] as const;

/**
 * The request is wrong whatever the state of the system. Says which fields, as google.rpc.BadRequest:
 * `invalidArgument({ field: "email", description: "has to contain an @" })`.
 */
export function invalidArgument(init: string | InvalidArgumentInit): ConnectError {
  return createFieldError("invalidArgument", Code.InvalidArgument, "the request is not valid", init);
}

/** A position that is past what there is, and may be valid later. Takes what `invalidArgument` takes. */
export function outOfRange(init: string | InvalidArgumentInit): ConnectError {
  return createFieldError("outOfRange", Code.OutOfRange, "the request asks for what is out of range", init);
}

/** `notFound({ resource: "users/7" })`. */
export function notFound(init: string | ResourceErrorInit): ConnectError {
  return createResourceError("notFound", Code.NotFound, "was not found", init);
}

export function alreadyExists(init: string | ResourceErrorInit): ConnectError {
  return createResourceError("alreadyExists", Code.AlreadyExists, "exists already", init);
}

/** The caller is known and may not do this. For callers that are not known there is `unauthenticated`. */
export function permissionDenied(init: string | ResourceErrorInit = {}): ConnectError {
  return createResourceError("permissionDenied", Code.PermissionDenied, "may not be used by this caller", init);
}

/** The caller's identity is not known. */
export function unauthenticated(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("unauthenticated", Code.Unauthenticated, "the call carries no valid credentials", init);
}

/** A quota or rate is used up: `resourceExhausted({ retryAfterMs: 1500 })`. */
export function resourceExhausted(init: string | ResourceExhaustedInit = {}): ConnectError {
  const given = toInit("resourceExhausted", init, ["quota", "rateLimit"]);
  return createError(Code.ResourceExhausted, given.quota?.[0]?.description ?? "too many requests", given, given);
}

/** The system is not in a state for this call; it must not be repeated before that has changed. */
export function failedPrecondition(init: string | FailedPreconditionInit): ConnectError {
  const given = toInit("failedPrecondition", init, ["preconditions"]);
  const text = given.preconditions?.[0]?.description ?? "the system is not in a state for this call";
  return createError(Code.FailedPrecondition, text, given, given);
}

/** A conflict with another call; repeat the whole transaction. */
export function aborted(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("aborted", Code.Aborted, "another call got in the way", init);
}

/** Not now; the same call may work in a moment. */
export function unavailable(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("unavailable", Code.Unavailable, "the service is not available at the moment", init);
}

/** This method is not there or not switched on. */
export function unimplemented(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("unimplemented", Code.Unimplemented, "this is not implemented", init);
}

/** An invariant is broken. The caller gets the text: leave internal details out of it. */
export function internal(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("internal", Code.Internal, "internal error", init);
}

/** Data is lost or damaged for good. */
export function dataLoss(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("dataLoss", Code.DataLoss, "data is lost or damaged", init);
}

export function deadlineExceeded(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("deadlineExceeded", Code.DeadlineExceeded, "the deadline has passed", init);
}

export function canceled(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("canceled", Code.Canceled, "the call was cancelled", init);
}

/** For errors of another system that does not have a code of its own for them. */
export function unknown(init: string | ErrorInit = {}): ConnectError {
  return createPlainError("unknown", Code.Unknown, "something failed", init);
}

function createFieldError(where: string, code: Code, text: string, init: string | InvalidArgumentInit): ConnectError {
  const given = toInit<ErrorInit & Partial<FieldViolation> & { violations?: readonly FieldViolation[] }>(where, init, [
    "field",
    "description",
    "violations",
  ]);
  const { field, description, violations, ...rest } = given;
  if (field === undefined) {
    if (violations === undefined) return createError(code, text, rest, rest);
    return createError(code, describe(violations), rest, { ...rest, violations });
  }
  // Next to a field, the reason is that field's.
  const { reason, ...common } = rest;
  const violation = { field, description: description ?? "is not valid", ...(reason !== undefined && { reason }) };
  const all = [violation, ...(violations ?? [])];
  return createError(code, describe(all), common, { ...common, violations: all });
}

function createResourceError(where: string, code: Code, verb: string, init: string | ResourceErrorInit): ConnectError {
  const given = toInit(where, init, ["resource"]);
  if (given.resource === undefined) return createError(code, `this ${verb}`, given, given);
  const { type, name } = toResource(given.resource);
  return createError(code, `${type === undefined ? "" : `${type} `}"${name}" ${verb}`, given, given);
}

function createPlainError(where: string, code: Code, text: string, init: string | ErrorInit): ConnectError {
  const given = toInit(where, init, []);
  return createError(code, text, given, given);
}

function toInit<Init extends ErrorInit>(where: string, init: string | Init, names: readonly string[]): Init {
  if (typeof init === "string") return { message: init } as Init;
  refuseUnknownOptions(where, init, [...names, ...commonNames]);
  return init;
}

function createError(
  code: Code,
  text: string,
  init: ErrorInit,
  details: Parameters<typeof createDetails>[0],
): ConnectError {
  const all = [...createDetails(details), ...(init.details ?? [])];
  return new ConnectError(init.message ?? text, code, undefined, all, init.cause);
}

/** Few enough to read; the details hold all. */
const maxDescribed = 3;

function describe(violations: readonly FieldViolation[]): string {
  const texts = violations.slice(0, maxDescribed).map(({ field, description }) => `${field} ${description}`);
  const more = violations.length - texts.length;
  return `${texts.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
