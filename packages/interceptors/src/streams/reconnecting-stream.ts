import { Code, ConnectError } from "@connectrpc/connect";
import { type Backoff, type Clock, createBackoff, systemClock } from "@tercel/grpc";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { pauseOrAborted } from "../call/pause-or-aborted.ts";

/** A stream broke off and is about to be opened again. */
export interface Reconnect<Token> {
  /** What it failed with; undefined when the server ended it well. */
  readonly error: ConnectError | undefined;
  /** Streams in a row that gave no message, this one included if it gave none. */
  readonly failures: number;
  readonly delayMs: number;
  /** Where it goes on. */
  readonly token: Token | undefined;
}

export interface ReconnectingStreamOptions<T, Token> {
  /** Opens the stream, behind the message that the token belongs to: `(token, signal) => client.watch({ after: token }, { signal })`. */
  open: (token: Token | undefined, signal: AbortSignal) => AsyncIterable<T>;
  /** The token of a message; undefined leaves the one of the message before. */
  tokenOf: (message: T) => Token | undefined;
  /** Where to begin. Default: undefined, whatever the server makes of that. */
  token?: Token;
  /** Ends the stream; it then fails with CANCELED. */
  signal?: AbortSignal;
  /** Default: that of gRPC's connections, from 1 s up to 120 s. A server that names a time (RetryInfo) is not asked before. */
  backoff?: Backoff;
  /**
   * What no second attempt would change. Default CANCELED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, UNAUTHENTICATED,
   * FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED and DATA_LOSS.
   */
  definiteCodes?: readonly Code[];
  /** Streams in a row that may give no message; the error of the last is thrown. Default: any number. */
  maxFailures?: number;
  /** Whether to go on as well when the server ends the stream well. Default false. */
  reconnectOnEnd?: boolean;
  /** Called before each pause. What it throws ends the stream. */
  onReconnect?: (reconnect: Reconnect<Token>) => void;
  clock?: Clock;
}

const definite = [
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

/**
 * The messages of a server stream that is opened again where it broke off, behind the last message that was read. Whether none is lost
 * or repeated is up to the server, which has to understand the token.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createReconnectingStream<T, Token>(options: ReconnectingStreamOptions<T, Token>): AsyncIterable<T> {
  const where = "createReconnectingStream";
  refuseUnknownOptions(where, options, [
    "open",
    "tokenOf",
    "token",
    "signal",
    "backoff",
    "definiteCodes",
    "maxFailures",
    "reconnectOnEnd",
    "onReconnect",
    "clock",
  ]);
  checkWholeNumber(where, "maxFailures", options.maxFailures, 1, Number.MAX_SAFE_INTEGER);
  const backoff = options.backoff ?? createBackoff();
  return {
    [Symbol.asyncIterator]: async function* () {
      // Leaving the loop does not cancel a call with every client, so the call is cancelled here.
      const leaving = new AbortController();
      const signals = [leaving.signal, ...(options.signal === undefined ? [] : [options.signal])];
      try {
        yield* read(options, backoff, AbortSignal.any(signals));
      } finally {
        leaving.abort();
      }
    },
  };
}

async function* read<T, Token>(
  options: ReconnectingStreamOptions<T, Token>,
  backoff: Backoff,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  const { open, tokenOf, clock = systemClock, maxFailures = Number.POSITIVE_INFINITY, onReconnect } = options;
  const definiteCodes = new Set(options.definiteCodes ?? definite);
  let { token } = options;
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
      if (options.reconnectOnEnd !== true) return;
    } catch (reason) {
      // Anything else is a mistake in `open` or `tokenOf`, which would only be made again.
      if (!(reason instanceof ConnectError)) throw reason;
      error = reason;
      if (definiteCodes.has(error.code)) throw error;
    }
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    failures = isEmpty ? failures + 1 : 0;
    if (failures >= maxFailures)
      throw error ?? new ConnectError("the server ends the stream at once", Code.Unavailable);
    const askedMs = error === undefined ? undefined : readRetryAfterMs(error);
    const delayMs = Math.max(backoff(Math.max(0, failures - 1)), askedMs ?? 0);
    onReconnect?.({ error, failures, delayMs, token });
    // Someone waits for the messages.
    await pauseOrAborted(clock, delayMs, signal, true);
  }
}
