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
   * `createBackoff`'s, or a function of the streams in a row that have failed. Default: from 1 s up to 30 s, because someone looks at the page. A
   * server that names a time (RetryInfo) is not asked before.
   */
  backoff?: Backoff;
  /**
   * Default: the browser's. A stream whose network is lost is cancelled at once, because a dead connection may never say so, and no stream is opened
   * again before the network is back.
   */
  network?: Network;
}

const defaultMaxDelayMs = 30_000;

/**
 * The messages of a server stream that is opened again where it broke off, after the last message that was read: over Connect, gRPC-Web or a
 * WebSocket. Whether none is lost or repeated is up to the server, which has to understand the token.
 *
 * @throws TypeError or RangeError for options that are unknown or out of bounds
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
        // A page that comes back into the network is not made to wait for what a page without one would.
        if (network.isOnline) await pauseFor(delayMs, signal);
        if (!network.isOnline) await network.whenOnline(signal);
      } catch (reason) {
        throw ConnectError.from(reason, Code.Canceled);
      }
    },
  });
}

/** The messages of a stream; it fails with UNAVAILABLE when the network is lost. */
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
