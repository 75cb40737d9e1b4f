import { createBackoff } from "@tercel/grpc";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import type { Backoff } from "@tercel/grpc/naming";
import { definiteCodes, type Reconnect, reconnectingStream } from "@tercel/grpc/portable";
import {
  callback,
  clockOption,
  codesOption,
  flag,
  type OptionsOf,
  own,
  readOptions,
  wholeNumber,
  withMethods,
} from "../call/options.ts";
import { pauseOrAborted } from "../call/pause-or-aborted.ts";

export type { Reconnect };

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
    definiteCodes: codesOption().or(definiteCodes),
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
  const {
    backoff = createBackoff(),
    clock,
    ...rules
  } = readOptions("createReconnectingStream", reconnectingStreamOptions<T, Token>(), options);
  // Someone waits for the messages: the process does, too.
  return reconnectingStream(rules, {
    backoff,
    askedMs: readRetryAfterMs,
    pause: (delayMs, signal) => pauseOrAborted(clock, delayMs, signal, true),
  });
}
