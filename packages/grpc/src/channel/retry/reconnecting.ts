import { Code, ConnectError } from "@connectrpc/connect";

/** A stream broke off and is about to be opened again. */
export interface Reconnect<Token> {
  /** What it failed with; undefined when the server ended it well. */
  readonly error: ConnectError | undefined;
  /** Streams in a row that gave no message, this one included if it gave none. */
  readonly failures: number;
  readonly delayMs: number;
  /** Where it continues. */
  readonly token: Token | undefined;
}

/** How a stream is continued that broke off. */
export interface ReconnectRules<T, Token> {
  /** Opens the stream after the message that the token belongs to: `(token, signal) => client.watch({ after: token }, { signal })`. */
  open: (token: Token | undefined, signal: AbortSignal) => AsyncIterable<T>;
  /** The token of a message; undefined leaves the one of the message before. */
  tokenOf: (message: T) => Token | undefined;
  /** Where to begin. Default: undefined, whatever the server makes of that. */
  token?: Token | undefined;
  /** Ends the stream; it then fails with CANCELED. */
  signal?: AbortSignal | undefined;
  /**
   * What no second attempt would change. Default CANCELED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, UNAUTHENTICATED,
   * FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED and DATA_LOSS.
   */
  definiteCodes?: readonly Code[] | undefined;
  /** Streams in a row that may give no message; the error of the last is thrown. Default: any number. */
  maxFailures?: number | undefined;
  /** Whether to continue as well when the server ends the stream well. Default false. */
  reconnectOnEnd?: boolean | undefined;
  /** Called before each pause. What it throws ends the stream. */
  onReconnect?: ((reconnect: Reconnect<Token>) => void) | undefined;
}

/** The options that these rules have, for checking. */
export const reconnectRuleNames: readonly (keyof ReconnectRules<unknown, unknown>)[] = [
  ...(["open", "tokenOf", "token", "signal", "definiteCodes", "maxFailures", "reconnectOnEnd", "onReconnect"] as const),
];

/** What no second attempt would change. */
export const definiteCodes: readonly Code[] = [
  Code.Canceled,
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.FailedPrecondition,
  Code.OutOfRange,
  Code.Unimplemented,
  Code.DataLoss,
];

/** Where time comes from: a process and a page wait in their own ways. */
export interface ReconnectPauses {
  /** By how many streams in a row have given no message before this one. A server that names a time (RetryInfo) is not called before. */
  backoff(earlierFailures: number): number;
  /** The server's RetryInfo; undefined without one. */
  askedMs(error: ConnectError): number | undefined;
  /** Resolves after the time; rejects when the signal aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * The messages of a server stream that is opened again where it broke off, after the last message that was read. Whether none is lost or repeated is
 * up to the server, which has to understand the token.
 */
export function reconnectingStream<T, Token>(
  rules: ReconnectRules<T, Token>,
  pauses: ReconnectPauses,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: async function* () {
      // Leaving the loop does not cancel a call with every client, so the call is cancelled here.
      const leaving = new AbortController();
      const signals = [leaving.signal, ...(rules.signal === undefined ? [] : [rules.signal])];
      try {
        yield* read(rules, pauses, AbortSignal.any(signals));
      } finally {
        leaving.abort();
      }
    },
  };
}

async function* read<T, Token>(
  rules: ReconnectRules<T, Token>,
  pauses: ReconnectPauses,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  const { open, tokenOf, maxFailures = Number.POSITIVE_INFINITY, onReconnect } = rules;
  const isDefinite = new Set(rules.definiteCodes ?? definiteCodes);
  let { token } = rules;
  let failures = 0;
  for (;;) {
    let error: ConnectError | undefined;
    let isEmpty = true;
    try {
      for await (const message of open(token, signal)) {
        isEmpty = false;
        token = tokenOf(message) ?? token;
        yield message;
      }
      if (rules.reconnectOnEnd !== true) return;
    } catch (reason) {
      // Anything else is a mistake in `open` or `tokenOf`, which would only be made again.
      if (!(reason instanceof ConnectError)) throw reason;
      error = reason;
      if (isDefinite.has(error.code)) throw error;
    }
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    failures = isEmpty ? failures + 1 : 0;
    if (failures >= maxFailures)
      throw error ?? new ConnectError("the server ends the stream at once", Code.Unavailable);
    const askedMs = error === undefined ? undefined : pauses.askedMs(error);
    const delayMs = Math.max(pauses.backoff(Math.max(0, failures - 1)), askedMs ?? 0);
    onReconnect?.({ error, failures, delayMs, token });
    await pauses.pause(delayMs, signal);
  }
}
