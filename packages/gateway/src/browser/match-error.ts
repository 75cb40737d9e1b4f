import { Code, ConnectError } from "@connectrpc/connect";
import { type FieldViolation, readErrorReason, readFieldViolations, readRetryAfterMs } from "@tercel/grpc/errors";
import { nearestName } from "@tercel/grpc/portable";

/** The error of a call, with the contents of its details. */
export interface MatchedError {
  readonly error: ConnectError;
  readonly code: Code;
  /** The message without the code in front. */
  readonly message: string;
  /** The reason of ErrorInfo; undefined without one. */
  readonly reason: string | undefined;
  /** The metadata of ErrorInfo; empty without one. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The violations of BadRequest, with the paths of the fields in the request; empty without one. */
  readonly fields: readonly FieldViolation[];
  /** The delay of RetryInfo; undefined without one. */
  readonly retryAfterMs: number | undefined;
}

/** Handles an error. */
export type ErrorCase<R> = (matched: MatchedError) => R;

/**
 * The handlers of errors: by the reason in ErrorInfo (`EMAIL_TAKEN`), by the name of the code in Connect (`NotFound`), and `otherwise`.
 */
export type ErrorCases<R> = { readonly [code in keyof typeof Code]?: ErrorCase<R> } & {
  readonly otherwise?: ErrorCase<R>;
} & { readonly [reason: Uppercase<string>]: ErrorCase<R> | undefined };

const codeNames: readonly string[] = Object.keys(Code).filter((name) => !/^[0-9]+$/.test(name));
const reasonPattern = /^[A-Z][A-Z0-9_]*$/;

/**
 * Calls the handler of the error's reason, or else of its code, or else `otherwise`, and returns its result.
 *
 * @throws the error itself if no case matches, and TypeError for a case that is neither a code nor a reason
 */
export function matchError<R>(thrown: unknown, cases: ErrorCases<R>): R {
  refuseUnknownCases(cases);
  const error = ConnectError.from(thrown);
  const info = readErrorReason(error);
  const known = new Map(Object.entries(cases) as [string, ErrorCase<R> | undefined][]);
  const found =
    (info === undefined ? undefined : known.get(info.reason)) ?? known.get(Code[error.code]) ?? known.get("otherwise");
  if (found === undefined) throw thrown;
  return found({
    error,
    code: error.code,
    message: error.rawMessage,
    reason: info?.reason,
    metadata: info?.metadata ?? new Map(),
    fields: readFieldViolations(error),
    retryAfterMs: readRetryAfterMs(error),
  });
}

function refuseUnknownCases(cases: object): void {
  for (const name of Object.keys(cases)) {
    if (name === "otherwise" || codeNames.includes(name) || reasonPattern.test(name)) continue;
    const nearest = nearestName(name, [...codeNames, "otherwise"]);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    throw new TypeError(`matchError: "${name}" is neither a code nor a reason, which has capital letters only${hint}`);
  }
}
