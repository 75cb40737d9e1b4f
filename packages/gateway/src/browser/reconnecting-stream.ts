import { Code, ConnectError } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import {
  type Backoff,
  checkWholeNumber,
  createBackoff,
  type ReconnectRules,
  reconnectingStream,
  reconnectRuleNames,
  refuseUnknownOptions,
} from "@tercel/grpc/portable";
import { browserNetwork, type Network, pauseFor } from "./network.ts";

export type { Reconnect } from "@tercel/grpc/portable";

export interface ReconnectingStreamOptions<T, Token> extends ReconnectRules<T, Token> {
  /**
   * The delays between attempts: from `createBackoff`, or a function of the number of successive failures. Default: from 1 s up to 30 s, because
   * a user is waiting. A longer delay in the server's RetryInfo is respected.
   */
  backoff?: Backoff;
  /**
   * The network state. Default: the browser's. When the browser goes offline, the stream is cancelled at once, because a dead connection may never
   * report an error. It is reopened only when the browser is online again.
   */
  network?: Network;
}

const defaultMaxDelayMs = 30_000;

/**
 * Returns the messages of a server stream that is reopened after a failure, with the token of the last message; over Connect, gRPC-Web or a
 * WebSocket. The server must support the token; it decides whether messages are lost or repeated.
 *
 * @throws TypeError or RangeError for options that are unknown or out of range
 */
export function createReconnectingStream<T, Token>(options: ReconnectingStreamOptions<T, Token>): AsyncIterable<T> {
  const where = "createReconnectingStream";
  refuseUnknownOptions(where, options, [...reconnectRuleNames, "backoff", "network"]);
  checkWholeNumber(where, "maxFailures", options.maxFailures, 1, Number.MAX_SAFE_INTEGER);
  const { backoff = createBackoff({ maxDelayMs: defaultMaxDelayMs }), network = browserNetwork } = options;
  const open = (token: Token | undefined, signal: AbortSignal): AsyncIterable<T> =>
    readWhileOnline(network, signal, (streamSignal) => options.open(token, streamSignal));
  const rules: ReconnectRules<T, Token> = { ...options, open };
  return reconnectingStream(rules, {
    backoff,
    askedMs: readRetryAfterMs,
    async pause(delayMs, signal) {
      try {
        // The delay is for failures of the server. After being offline, the stream is reopened at once.
        if (network.isOnline) await pauseFor(delayMs, signal);
        if (!network.isOnline) await network.whenOnline(signal);
      } catch (reason) {
        throw ConnectError.from(reason, Code.Canceled);
      }
    },
  });
}

/** Returns the messages of a stream, which fails with UNAVAILABLE when the browser goes offline. */
async function* readWhileOnline<T>(
  network: Network,
  signal: AbortSignal,
  open: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T, void> {
  const lost = new AbortController();
  const over = new AbortController();
  network.onOffline(() => lost.abort(), over.signal);
  try {
    yield* open(AbortSignal.any([signal, lost.signal]));
  } catch (error) {
    if (!lost.signal.aborted || signal.aborted) throw error;
    throw new ConnectError(
      "the network was lost while a stream was open",
      Code.Unavailable,
      undefined,
      undefined,
      error,
    );
  } finally {
    over.abort();
  }
}
