import { Code, ConnectError } from "@connectrpc/connect";
import { createBackoff } from "@tercel/grpc";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import type { Backoff } from "@tercel/grpc/naming";
import {
  callback,
  clockOption,
  codesOption,
  flag,
  type OptionsOf,
  own,
  readOptions,
  type SettingsOf,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import { pauseOrAborted } from "../call/pause-or-aborted.ts";

/** A stream broke off and is about to be opened again. */
export interface Reconnect<Token> {
  /** What it failed with; undefined when the server ended it without an error. */
  readonly error: ConnectError | undefined;
  /** Streams in a row that gave no message, this one included if it gave none. */
  readonly failures: number;
  readonly delayMs: number;
  /** Where it continues. */
  readonly token: Token | undefined;
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

export function reconnectingStreamOptions<T, Token>() {
  return {
    /** Opens the stream after the message that the token belongs to: `(token, signal) => client.watch({ after: token }, { signal })`. Required. */
    open: callback<(token: Token | undefined, signal: AbortSignal) => AsyncIterable<T>>().required(),
    /** The token of a message; undefined leaves that of the message before. Required. */
    tokenOf: callback<(message: T) => Token | undefined>().required(),
    /** Where to begin. Default: undefined, whatever the server makes of that. */
    token: own<Token>("a token", () => true),
    /** Ends the stream; it then fails with CANCELED. */
    signal: withMethods<AbortSignal>("an AbortSignal", "addEventListener"),
    /** Default: that of gRPC's connections, from 1 s up to 120 s. A server that names a time (RetryInfo) is not called before it. */
    backoff: callback<Backoff>(),
    /**
     * Codes after which another attempt would change nothing. Default CANCELED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS,
     * PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED and DATA_LOSS.
     */
    definiteCodes: codesOption().or(definite),
    /** Streams in a row that may give no message; the error of the last is thrown. Default: any number. */
    maxFailures: wholeNumber(1).or(Number.POSITIVE_INFINITY),
    /** Whether to open the stream again also when the server ends it without an error. Default false. */
    reconnectOnEnd: flag().or(false),
    /** Called before each pause. What it throws ends the stream. */
    onReconnect: callback<(reconnect: Reconnect<Token>) => void>(),
    /** For tests. */
    clock: clockOption(),
  };
}

type Table<T, Token> = ReturnType<typeof reconnectingStreamOptions<T, Token>>;

export type ReconnectingStreamOptions<T, Token> = OptionsOf<Table<T, Token>>;

/**
 * Returns the messages of a server stream that is opened again where it broke off, after the last message that was read. Whether none is
 * lost or repeated is up to the server, which must understand the token.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createReconnectingStream<T, Token>(options: ReconnectingStreamOptions<T, Token>): AsyncIterable<T> {
  const settings = readOptions("createReconnectingStream", reconnectingStreamOptions<T, Token>(), options);
  const backoff = settings.backoff ?? createBackoff();
  return {
    [Symbol.asyncIterator]: async function* () {
      // Leaving the loop does not cancel a call with every client, so the call is cancelled here.
      const leaving = new AbortController();
      const signals = [leaving.signal, ...(settings.signal === undefined ? [] : [settings.signal])];
      try {
        yield* read(settings, backoff, AbortSignal.any(signals));
      } finally {
        leaving.abort();
      }
    },
  };
}

async function* read<T, Token>(
  settings: SettingsOf<Table<T, Token>>,
  backoff: Backoff,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  const { open, tokenOf, clock, maxFailures, onReconnect } = settings;
  const definiteCodes = new Set(settings.definiteCodes);
  let { token } = settings;
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
      if (!settings.reconnectOnEnd) return;
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
