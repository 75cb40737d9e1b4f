import type { DescEnum } from "@bufbuild/protobuf";
import type { GenEnum } from "@bufbuild/protobuf/codegenv2";
import { Code, type ConnectError } from "@connectrpc/connect";
import * as creators from "@tercel/grpc/errors";
import { type ErrorInit, readErrorReason } from "@tercel/grpc/errors";
import { setErrorHttpStatus } from "./error-http-status.ts";
import { type Reason, readReasons } from "./read-reasons.ts";
import { type CamelName, camelName, type PascalName, pascalName } from "./reason-names.ts";

/** An enum as protoc-gen-es generates it: values by name. */
export type EnumObject = Readonly<Record<string, number | string>>;

/** The names of an enum's values, apart from its zero value. */
export type ReasonName<Values extends EnumObject> = Exclude<
  keyof Values & string,
  "UNSPECIFIED" | `${string}_UNSPECIFIED`
>;

declare const reasonType: unique symbol;

/** A ConnectError whose reason is known to the compiler. */
export type ReasonError<Name extends string> = ConnectError & { readonly [reasonType]: Name };

/** What an error of a reason may say besides. */
export interface ReasonErrorInit extends Omit<ErrorInit, "reason" | "domain" | "metadata"> {}

/** Facts for the caller, which fill the text as well: `{ user_id: "7" }`. They are sent. */
export type ReasonMetadata = Readonly<Record<string, string | number | bigint | boolean>>;

/** For each reason a function that makes the error, `userNotFound(…)`, and one that recognizes it, `isUserNotFound(error)`. */
export type DefinedErrors<Values extends EnumObject> = {
  readonly [Name in ReasonName<Values> as CamelName<Name>]: (
    metadata?: ReasonMetadata,
    init?: ReasonErrorInit,
  ) => ReasonError<Name>;
} & {
  readonly [Name in ReasonName<Values> as `is${PascalName<Name>}`]: (error: unknown) => error is ReasonError<Name>;
} & {
  /** The reason of an error, undefined for an error of anything else: for a `switch` over all of them. */
  readonly reasonOf: (error: unknown) => ReasonName<Values> | undefined;
};

const where = "defineErrors";

/**
 * Makes errors of an enum whose values have the option `tercel.errors.v1.reason`. On the server `throw errors.userNotFound({ user_id })` fails the call
 * with the code and text of the proto and with google.rpc.ErrorInfo; on a client `errors.isUserNotFound(error)` recognizes it, over whichever protocol it
 * came.
 *
 * @param schema the enum's descriptor, `UserErrorSchema`
 * @param values the enum itself, `UserError`, which has the names
 * @throws TypeError for a value without a rule, for a rule that is wrong, and for an enum that is not the schema's
 */
export function defineErrors<Values extends EnumObject>(
  schema: DescEnum | GenEnum<number>,
  values: Values,
): DefinedErrors<Values> {
  const desc = schema as DescEnum;
  if (desc?.kind !== "enum")
    throw new TypeError(`${where}: the first argument must be an enum's schema, such as UserErrorSchema`);
  for (const { localName, number } of desc.values) {
    if (values?.[localName] === number) continue;
    throw new TypeError(`${where}: the second argument is not the enum ${desc.typeName}: it has no ${localName}`);
  }
  const { domain, all } = readReasons(where, desc);
  const byName = new Map(all.map((reason) => [reason.name, reason] as const));
  // Functions by names that the types above derive in the same way.
  const defined: Record<string, unknown> = {};
  const add = (name: string, value: unknown, reason: string): void => {
    if (Object.hasOwn(defined, name))
      throw new TypeError(`${where}: ${reason} makes ${name}, and so does another value of ${desc.typeName}`);
    defined[name] = value;
  };

  const reasonOf = (error: unknown): string | undefined => {
    const found = readErrorReason(error);
    return found?.domain === domain ? byName.get(found.reason)?.localName : undefined;
  };
  add("reasonOf", reasonOf, "reasonOf");
  for (const reason of all) {
    const { localName } = reason;
    add(
      camelName(localName),
      (metadata: ReasonMetadata = {}, init: ReasonErrorInit = {}) => createError(domain, reason, metadata, init),
      localName,
    );
    add(`is${pascalName(localName)}`, (error: unknown) => reasonOf(error) === localName, localName);
  }
  return Object.freeze(defined) as DefinedErrors<Values>;
}

/** By the code. Each takes what every error takes. */
const createByCode: Readonly<Record<Code, (init: ErrorInit) => ConnectError>> = {
  [Code.Canceled]: creators.canceled,
  [Code.Unknown]: creators.unknown,
  [Code.InvalidArgument]: creators.invalidArgument,
  [Code.DeadlineExceeded]: creators.deadlineExceeded,
  [Code.NotFound]: creators.notFound,
  [Code.AlreadyExists]: creators.alreadyExists,
  [Code.PermissionDenied]: creators.permissionDenied,
  [Code.ResourceExhausted]: creators.resourceExhausted,
  [Code.FailedPrecondition]: creators.failedPrecondition,
  [Code.Aborted]: creators.aborted,
  [Code.OutOfRange]: creators.outOfRange,
  [Code.Unimplemented]: creators.unimplemented,
  [Code.Internal]: creators.internal,
  [Code.Unavailable]: creators.unavailable,
  [Code.DataLoss]: creators.dataLoss,
  [Code.Unauthenticated]: creators.unauthenticated,
};

function createError(
  domain: string,
  { name, code, httpStatus, text }: Reason,
  metadata: ReasonMetadata,
  init: ReasonErrorInit,
): ConnectError {
  const facts = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)]));
  const message = init.message ?? (text === undefined ? undefined : fillText(text, facts));
  const error = createByCode[code]({
    ...init,
    ...(message !== undefined && { message }),
    reason: name,
    domain,
    metadata: facts,
  });
  if (httpStatus !== undefined) setErrorHttpStatus(error, httpStatus);
  return error;
}

/** `{name}` becomes the fact of that name; one that is missing stays as it is written: the error matters more than its text. */
function fillText(text: string, facts: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (written, name: string) =>
    Object.hasOwn(facts, name) ? (facts[name] as string) : written,
  );
}
