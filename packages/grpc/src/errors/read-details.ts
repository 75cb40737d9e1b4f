import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  ErrorInfoSchema as CommonErrorInfoSchema,
  RateLimitInfoSchema,
  ValidationErrorSchema,
} from "../gen/common/v1/errors_pb.ts";
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  HelpSchema,
  LocalizedMessageSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.ts";
import type { FieldViolation, HelpLink, PreconditionViolation, QuotaViolation, Resource } from "./error-details.ts";

/** The first detail of a type; undefined where it is missing, and for values that are not a ConnectError. */
function first<Schema extends DescMessage>(error: unknown, schema: Schema): MessageShape<Schema> | undefined {
  return error instanceof ConnectError ? error.findDetails(schema)[0] : undefined;
}

/** The fields that google.rpc.BadRequest or common.v1.ValidationError names. Empty without these details. */
export function readFieldViolations(error: unknown): FieldViolation[] {
  const violations = (first(error, BadRequestSchema) ?? first(error, ValidationErrorSchema))?.fieldViolations ?? [];
  return violations.map((one) => ({
    field: one.field,
    description: one.description,
    ...("reason" in one && one.reason !== "" && { reason: one.reason }),
  }));
}

/** When the caller may try again, of google.rpc.RetryInfo or common.v1.RateLimitInfo, in milliseconds. */
export function readRetryAfterMs(error: unknown): number | undefined {
  const delay = first(error, RetryInfoSchema)?.retryDelay;
  if (delay !== undefined) return Math.max(0, durationMs(delay));
  const rateLimit = first(error, RateLimitInfoSchema);
  return rateLimit === undefined ? undefined : Math.max(0, Number(rateLimit.retryAfterSeconds) * 1000);
}

export interface ErrorReason {
  readonly reason: string;
  readonly domain: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Why it failed, for machines: of google.rpc.ErrorInfo or common.v1.ErrorInfo. */
export function readErrorReason(error: unknown): ErrorReason | undefined {
  const info = first(error, ErrorInfoSchema) ?? first(error, CommonErrorInfoSchema);
  if (info === undefined) return undefined;
  // A map, because a peer may choose the name __proto__.
  return { reason: info.reason, domain: info.domain, metadata: new Map(Object.entries(info.metadata)) };
}

/** Which resource the error is about: of google.rpc.ResourceInfo. */
export function readResource(error: unknown): Required<Resource> | undefined {
  const info = first(error, ResourceInfoSchema);
  if (info === undefined) return undefined;
  return { name: info.resourceName, type: info.resourceType, owner: info.owner, description: info.description };
}

export function readQuotaViolations(error: unknown): QuotaViolation[] {
  const violations = first(error, QuotaFailureSchema)?.violations ?? [];
  return violations.map(({ subject, description }) => ({ subject, description }));
}

export function readPreconditionViolations(error: unknown): PreconditionViolation[] {
  const violations = first(error, PreconditionFailureSchema)?.violations ?? [];
  return violations.map(({ type, subject, description }) => ({ type, subject, description }));
}

/** Of common.v1.RateLimitInfo; the unit as the server wrote it. */
export function readRateLimit(error: unknown): { requestsPerUnit: number; unit: string } | undefined {
  const info = first(error, RateLimitInfoSchema);
  return info === undefined ? undefined : { requestsPerUnit: Number(info.requestsPerUnit), unit: info.unit };
}

export function readHelp(error: unknown): HelpLink[] {
  return (first(error, HelpSchema)?.links ?? []).map(({ description, url }) => ({ description, url }));
}

/** The text for the user, in the first language that was sent. */
export function readLocalizedMessage(error: unknown): { locale: string; message: string } | undefined {
  const found = first(error, LocalizedMessageSchema);
  return found === undefined ? undefined : { locale: found.locale, message: found.message };
}

export function readRequestId(error: unknown): string | undefined {
  return first(error, RequestInfoSchema)?.requestId;
}

/** What a server in development says about its inside. */
export function readDebugInfo(error: unknown): { detail: string; stackEntries: string[] } | undefined {
  const info = first(error, DebugInfoSchema);
  return info === undefined ? undefined : { detail: info.detail, stackEntries: info.stackEntries };
}
