import { Code, ConnectError } from "@connectrpc/connect";
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
  /** Default: the browser's. A stream that broke off is not opened again before there is a network. */
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
  return reconnectingStream(options, {
    backoff,
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
