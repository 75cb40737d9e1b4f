import { type Channel, createChannel } from "../channel/channel.ts";
import type { ChannelOptions } from "../channel/channel-options.ts";
import { type CloseOptions, createServer, type Server } from "../server/server.ts";
import type { ServerOptions } from "../server/server-options.ts";

export interface StubOptions {
  serverOptions?: Omit<ServerOptions, "routes">;
  channelOptions?: ChannelOptions;
}

/** A server that replaces a real one, on a port of its own. */
export interface StubServer {
  readonly server: Server;
  /** `host:port`, for a channel or another program's configuration. */
  readonly target: string;
  /** A channel to it, for `createClient`. */
  readonly transport: Channel;
  /** Closes the channel, then drains the server. Calls that still run after `deadlineMs` (default 30,000) are cancelled. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Starts a server on a free port of 127.0.0.1. Where nothing has to cross a socket, `createInMemoryTransport` is faster.
 *
 * @throws TypeError or RangeError for options that `createServer` or `createChannel` would refuse
 */
export async function createStubServer(
  routes: ServerOptions["routes"],
  options: StubOptions = {},
): Promise<StubServer> {
  const server = createServer({ ...options.serverOptions, routes });
  const address = await server.listen({ port: 0 });
  if (!("port" in address)) throw new TypeError("a TCP server has to have a port");
  const target = `${address.host}:${address.port}`;
  const transport = createChannel(target, options.channelOptions);
  return {
    server,
    target,
    transport,
    async close(closing) {
      const channelClosed = transport.close();
      await Promise.all([channelClosed, server.close(closing)]);
    },
  };
}
