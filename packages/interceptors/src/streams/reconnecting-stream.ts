import { type Backoff, type Clock, createBackoff, systemClock } from "@tercel/grpc";
import { checkWholeNumber, refuseUnknownOptions } from "@tercel/grpc/internal";
import { type ReconnectRules, reconnectingStream, reconnectRuleNames } from "@tercel/grpc/portable";
import { pauseOrAborted } from "../call/pause-or-aborted.ts";

export type { Reconnect } from "@tercel/grpc/portable";

export interface ReconnectingStreamOptions<T, Token> extends ReconnectRules<T, Token> {
  /** Default: that of gRPC's connections, from 1 s up to 120 s. A server that names a time (RetryInfo) is not asked before. */
  backoff?: Backoff;
  clock?: Clock;
}

/**
 * The messages of a server stream that is opened again where it broke off, after the last message that was read. Whether none is lost
 * or repeated is up to the server, which has to understand the token.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
 */
export function createReconnectingStream<T, Token>(options: ReconnectingStreamOptions<T, Token>): AsyncIterable<T> {
  const where = "createReconnectingStream";
  refuseUnknownOptions(where, options, [...reconnectRuleNames, "backoff", "clock"]);
  checkWholeNumber(where, "maxFailures", options.maxFailures, 1, Number.MAX_SAFE_INTEGER);
  const { backoff = createBackoff(), clock = systemClock } = options;
  // Someone waits for the messages: the process does, too.
  return reconnectingStream(options, {
    backoff,
    pause: (delayMs, signal) => pauseOrAborted(clock, delayMs, signal, true),
  });
}
