import { type DescEnum, getOption, hasOption } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { domain as domainOption, reason as reasonOption } from "@tercel/interceptors/gen/tercel/errors/v1/errors_pb.js";

/** A reason as declared in the proto. */
export interface Reason {
  /** The value's name in TypeScript: `NOT_FOUND`. */
  readonly localName: string;
  /** Its full name in the proto, which is sent: `USER_ERROR_NOT_FOUND`. */
  readonly name: string;
  readonly code: Code;
  /** HTTP status over REST; undefined if the code decides. */
  readonly httpStatus: number | undefined;
  readonly text: string | undefined;
}

/** The reasons of an enum and their domain. */
export interface Reasons {
  readonly domain: string;
  readonly all: readonly Reason[];
}

const least = 400;
const most = 599;

/**
 * Reads the options of an enum. Its zero value is not a reason and needs no rule.
 *
 * @throws TypeError for a value without a rule, a rule without a code, and an HTTP status that is not an error
 */
export function readReasons(where: string, schema: DescEnum): Reasons {
  const all = schema.values.flatMap((value) => {
    const at = `${where}: ${schema.typeName}.${value.name}`;
    if (!hasOption(value, reasonOption)) {
      if (value.number === 0) return [];
      throw new TypeError(`${at} has no rule; add [(tercel.errors.v1.reason) = {code: …}]`);
    }
    const { code, httpStatus, text } = getOption(value, reasonOption);
    if (Code[code] === undefined)
      throw new TypeError(`${at} has the code ${code}; expected one of gRPC's, such as NOT_FOUND`);
    if (httpStatus !== 0 && (httpStatus < least || httpStatus > most)) {
      throw new TypeError(`${at} has the HTTP status ${httpStatus}; expected a number from ${least} to ${most}`);
    }
    return {
      localName: value.localName,
      name: value.name,
      code: code as number as Code,
      httpStatus: httpStatus === 0 ? undefined : httpStatus,
      text: text === "" ? undefined : text,
    };
  });
  const domain = hasOption(schema, domainOption) ? getOption(schema, domainOption) : schema.file.proto.package;
  return { domain, all };
}
