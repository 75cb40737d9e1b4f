import { type Channel, channelOver } from "../channel/channel.ts";
import type { ChannelOptions } from "../channel/channel-options.ts";
import { safeLog } from "../logging/safe-log.ts";
import { unindexedFields } from "../protocol/unindexed-fields.ts";
import { type CloseOptions, type Server, serverOver } from "../server/server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { systemClock } from "../time/clock.ts";
import { createInMemoryNetwork } from "../transport/in-memory.ts";
import { LimitReporter } from "../transport/limit-reporter.ts";

export interface InMemoryOptions {
  /** The services, registered as with `createServer`. */
  routes: ServerOptions["routes"];
  /** Further options of the server. TLS does not exist in memory. */
  serverOptions?: Omit<ServerOptions, "routes" | "tls" | "http1Server" | "maxConnections">;
  /** Options of the channel. */
  channelOptions?: Omit<ChannelOptions, "tls" | "connectTimeoutMs">;
  /** What is written arrives in pieces of at most this many bytes. Default: as it was written. */
  maxChunkBytes?: number;
}

/** A channel to a server in the same process. */
export interface InMemoryTransport extends Channel {
  readonly server: Server;
  /** Another channel to the same server; it has to be closed before the transport is. */
  createChannel(options?: InMemoryOptions["channelOptions"]): Channel;
  /** Breaks every connection, as a pulled cable would: open calls fail with Unavailable, the next one connects again. */
  cutConnections(): void;
  /** Closes the channel, then drains the server. Calls that still run after `deadlineMs` (default 30,000) are cancelled. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Makes a Transport for tests: calls go through the real server and the real channel, HTTP/2 between them included, but
 * without sockets, ports or waiting. Use it with `createClient`, and `close` it at the end.
 *
 * @throws TypeError or RangeError for options that `createServer` or `createChannel` would refuse
 */
export function createInMemoryTransport(options: InMemoryOptions): InMemoryTransport {
  const network = createInMemoryNetwork(
    options.maxChunkBytes === undefined ? {} : { maxChunkBytes: options.maxChunkBytes },
  );
  const server = serverOver({ ...options.serverOptions, routes: options.routes }, network.createListener);
  const openChannel = (given: ChannelOptions = {}): Channel => {
    const { keepalive } = given;
    const clock = given.clock ?? systemClock;
    const connect = network.connect({
      tls: undefined,
      limits: given.limits ?? {},
      keepalive:
        keepalive === undefined
          ? undefined
          : { ...keepalive, permitWithoutStreams: keepalive.permitWithoutCalls ?? false },
      unindexedFields,
      clock,
      limitReporter: new LimitReporter(safeLog(given.log), given.onLimit, clock),
    });
    return channelOver("static:///in-memory:80", given, connect);
  };
  const channel = openChannel(options.channelOptions);
  return {
    server,
    get state() {
      return channel.state;
    },
    raw: channel.raw,
    connect: () => channel.connect(),
    explain: () => channel.explain(),
    unary: (...call) => channel.unary(...call),
    stream: (...call) => channel.stream(...call),
    createChannel: openChannel,
    cutConnections: () => network.cut(),
    async close(closing) {
      const channelClosed = channel.close();
      await Promise.all([channelClosed, server.close(closing)]);
    },
  };
}
