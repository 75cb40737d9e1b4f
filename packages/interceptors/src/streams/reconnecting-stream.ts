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
    /** Opens the stream after the message with this token, for example `(token, signal) => client.watch({ after: token }, { signal })`. Required. */
    open: callback<(token: Token | undefined, signal: AbortSignal) => AsyncIterable<T>>().required(),
    /** Returns the token of a message; undefined keeps the token of the previous message. Required. */
    tokenOf: callback<(message: T) => Token | undefined>().required(),
    /** The token for the first stream. Default undefined; the server defines its meaning. */
    token: own<Token>("a token", () => true),
    /** Aborts the stream, which then fails with CANCELED. */
    signal: withMethods<AbortSignal>("an AbortSignal", "addEventListener"),
    /** The delays between attempts. Default: as for gRPC connections, from 1 s up to 120 s. A longer delay in the server's RetryInfo is respected. */
    backoff: callback<Backoff>(),
    /**
     * Codes that end the stream, because another attempt would not help. Default CANCELED, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS,
     * PERMISSION_DENIED, UNAUTHENTICATED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED and DATA_LOSS.
     */
    definiteCodes: codesOption().or(definiteCodes),
    /** The maximum number of successive streams without a message; then the last error is thrown. Default: no limit. */
    maxFailures: wholeNumber(1).or(Number.POSITIVE_INFINITY),
    /** Whether to reopen the stream when the server ends it without an error. Default false. */
    reconnectOnEnd: flag().or(false),
    /** Called before each delay. An error that it throws ends the stream. */
    onReconnect: callback<(reconnect: Reconnect<Token>) => void>(),
    /** For tests. */
    clock: clockOption(),
  };
}

type Table<T, Token> = ReturnType<typeof reconnectingStreamOptions<T, Token>>;

export type ReconnectingStreamOptions<T, Token> = OptionsOf<Table<T, Token>>;

/**
 * Returns the messages of a server stream that is reopened after a failure, with the token of the last message. The server must support the
 * token; it decides whether messages are lost or repeated.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createReconnectingStream<T, Token>(options: ReconnectingStreamOptions<T, Token>): AsyncIterable<T> {
  const {
    backoff = createBackoff(),
    clock,
    ...rules
  } = readOptions("createReconnectingStream", reconnectingStreamOptions<T, Token>(), options);
  // A caller waits for the messages, so the delay keeps the process alive.
  return reconnectingStream(rules, {
    backoff,
    askedMs: readRetryAfterMs,
    pause: (delayMs, signal) => pauseOrAborted(clock, delayMs, signal, true),
  });
}
