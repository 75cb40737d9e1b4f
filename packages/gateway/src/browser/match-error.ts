import { Code, ConnectError } from "@connectrpc/connect";
import { type FieldViolation, readErrorReason, readFieldViolations, readRetryAfterMs } from "@tercel/grpc/errors";
import { nearestName } from "@tercel/grpc/portable";

/** An error of a call, with what its details say. */
export interface MatchedError {
  readonly error: ConnectError;
  readonly code: Code;
  /** Without the code before it. */
  readonly message: string;
  /** Of the detail ErrorInfo; undefined where there is none. */
  readonly reason: string | undefined;
  readonly metadata: ReadonlyMap<string, string>;
  /** The fields that are wrong, by their paths in the request. Empty where the server names none. */
  readonly fields: readonly FieldViolation[];
  /** When to try again, where the server says so. */
  readonly retryAfterMs: number | undefined;
}

/** What to do with an error. */
export type ErrorCase<R> = (matched: MatchedError) => R;

/**
 * What to do by why a call failed: by the reason of its ErrorInfo (`EMAIL_TAKEN`), by its code as Connect names it (`NotFound`), and `otherwise`.
 */
export type ErrorCases<R> = { readonly [code in keyof typeof Code]?: ErrorCase<R> } & {
  readonly otherwise?: ErrorCase<R>;
} & { readonly [reason: Uppercase<string>]: ErrorCase<R> | undefined };

const codeNames: readonly string[] = Object.keys(Code).filter((name) => !/^[0-9]+$/.test(name));
const reasonPattern = /^[A-Z][A-Z0-9_]*$/;

/**
 * Returns what the case that fits returns: the one of its reason, else that of its code, else `otherwise`.
 *
 * @throws the error itself where no case fits, and TypeError for a case that is neither a code nor a reason
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
