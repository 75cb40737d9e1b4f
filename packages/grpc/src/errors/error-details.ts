import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { RateLimitInfoSchema } from "../gen/common/v1/errors_pb.ts";
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

/** One field of a request that is wrong. */
export interface FieldViolation {
  /** Path from the request down, such as `user.emails[0]`. */
  readonly field: string;
  /** What is wrong with it and what it may be. */
  readonly description: string;
  /** A machine's name for it, in capitals. */
  readonly reason?: string;
}

export interface QuotaViolation {
  /** Whose quota it is, such as `user:7`. */
  readonly subject: string;
  readonly description: string;
}

export interface PreconditionViolation {
  /** A kind that the service defines, in capitals, such as `TERMS_OF_SERVICE`. */
  readonly type: string;
  readonly subject: string;
  readonly description: string;
}

export interface Resource {
  /** Its name within the service, such as `users/7`. */
  readonly name: string;
  /** What it is: its message type, or a word such as `user`. */
  readonly type?: string;
  readonly owner?: string;
  readonly description?: string;
}

export interface RateLimit {
  readonly requestsPerUnit: number;
  readonly unit: "second" | "minute" | "hour" | "day";
}

export interface HelpLink {
  readonly description: string;
  readonly url: string;
}

/** What every error may say in addition to its code and text. Each becomes the google.rpc message of that name. */
export interface CommonDetails {
  /** Why, for machines, in capitals with underscores: google.rpc.ErrorInfo. */
  readonly reason?: string;
  /** Whose `reason` it is: the service's registered name, such as `users.example.com`. */
  readonly domain?: string;
  /** More about the `reason`. Values must not be secrets. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The caller may try again after this long: google.rpc.RetryInfo. */
  readonly retryAfterMs?: number;
  /** A text that may be shown to the user, in the language of `locale` (BCP 47). */
  readonly localizedMessage?: { readonly locale: string; readonly message: string };
  readonly help?: readonly HelpLink[];
  /** What the caller has to quote when asking for help. */
  readonly requestId?: string;
  /** For developers. Servers leave it out unless they run with `exposeDebugInfo`. */
  readonly debug?: { readonly detail: string; readonly stackEntries?: readonly string[] };
}

export interface SpecificDetails {
  readonly violations?: readonly FieldViolation[];
  readonly quota?: readonly QuotaViolation[];
  readonly preconditions?: readonly PreconditionViolation[];
  readonly resource?: string | Resource;
  readonly rateLimit?: RateLimit;
}

export type OutgoingDetail = Extract<ConnectError["details"][number], { desc: DescMessage }>;

function detail<Schema extends DescMessage>(desc: Schema, value: MessageInitShape<Schema>): OutgoingDetail {
  return { desc, value };
}

/** Makes the google.rpc messages, and common.v1.RateLimitInfo, in which an error says what `given` says. */
export function createDetails(given: CommonDetails & SpecificDetails): OutgoingDetail[] {
  const details: OutgoingDetail[] = [];
  if (given.violations !== undefined) {
    details.push(detail(BadRequestSchema, { fieldViolations: given.violations.map((one) => ({ ...one })) }));
  }
  if (given.quota !== undefined) {
    details.push(detail(QuotaFailureSchema, { violations: given.quota.map((one) => ({ ...one })) }));
  }
  if (given.preconditions !== undefined) {
    details.push(detail(PreconditionFailureSchema, { violations: given.preconditions.map((one) => ({ ...one })) }));
  }
  if (given.resource !== undefined) {
    const { name, type, owner, description } = toResource(given.resource);
    details.push(
      detail(ResourceInfoSchema, {
        resourceName: name,
        resourceType: type ?? "",
        owner: owner ?? "",
        description: description ?? "",
      }),
    );
  }
  if (given.reason !== undefined || given.domain !== undefined || given.metadata !== undefined) {
    const { reason = "", domain = "", metadata = {} } = given;
    details.push(detail(ErrorInfoSchema, { reason, domain, metadata: { ...metadata } }));
  }
  if (given.retryAfterMs !== undefined) details.push(createRetryInfo(given.retryAfterMs));
  if (given.rateLimit !== undefined) {
    const { requestsPerUnit, unit } = given.rateLimit;
    details.push(
      detail(RateLimitInfoSchema, {
        requestsPerUnit: BigInt(Math.round(requestsPerUnit)),
        unit,
        // Rounded up: a client that retries a little early is refused again.
        retryAfterSeconds: BigInt(Math.ceil((given.retryAfterMs ?? 0) / 1000)),
      }),
    );
  }
  if (given.localizedMessage !== undefined) details.push(detail(LocalizedMessageSchema, given.localizedMessage));
  if (given.help !== undefined) details.push(detail(HelpSchema, { links: given.help.map((one) => ({ ...one })) }));
  if (given.requestId !== undefined) details.push(detail(RequestInfoSchema, { requestId: given.requestId }));
  if (given.debug !== undefined) {
    const stackEntries = [...(given.debug.stackEntries ?? [])];
    details.push(detail(DebugInfoSchema, { detail: given.debug.detail, stackEntries }));
  }
  return details;
}

/** @throws RangeError when the time is not a number of at least 0 */
function createRetryInfo(retryAfterMs: number): OutgoingDetail {
  if (!(retryAfterMs >= 0) || !Number.isFinite(retryAfterMs)) {
    throw new RangeError(`retryAfterMs is ${retryAfterMs}; it has to be a number of milliseconds from 0 on`);
  }
  const wholeMs = Math.ceil(retryAfterMs);
  const seconds = Math.floor(wholeMs / 1000);
  return detail(RetryInfoSchema, {
    retryDelay: { seconds: BigInt(seconds), nanos: (wholeMs - seconds * 1000) * 1_000_000 },
  });
}

export function toResource(given: string | Resource): Resource {
  return typeof given === "string" ? { name: given } : given;
}
