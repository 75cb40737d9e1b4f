import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { matchesVersion } from "@tercel/discovery";
import type { Channel, ChannelOptions, ServerOptions } from "@tercel/grpc";
import type { InMemoryOptions, InMemoryTransport } from "@tercel/grpc/testing";

/** A way to a service in the same process. */
export interface NeighbourChannel extends Transport {
  close(): Promise<void>;
}

/** What a channel in memory may be made with. */
export type NeighbourChannelOptions = NonNullable<InMemoryOptions["channelOptions"]>;

/** Services that run in one process, and call each other in memory. */
export interface Neighbours {
  /** Whether a service of that name, and of that version if one is named, is among them. */
  has(name: string, version?: string): boolean;
  /** A way from one service to another one among them. Calls fail with UNAVAILABLE while that does not serve. */
  channel(from: string, to: string, options: NeighbourChannelOptions): NeighbourChannel;
  /** Serves a service's calls in memory until what is returned is closed. */
  serve(name: string, options: ServerOptions): Promise<{ close(deadlineMs: number): Promise<void> }>;
  /** Whether the caller is the one that sets up tracing, which a process has once: true for the first caller. */
  claimTracing(): boolean;
}

/** What is known of a neighbour before it serves. */
export interface NeighbourName {
  readonly name: string;
  readonly version: string;
}

/**
 * Makes services known to each other before any of them has started.
 *
 * @throws Error for two services of one name
 */
export function createNeighbours(names: readonly NeighbourName[]): Neighbours {
  const known = new Map<string, NeighbourName>();
  for (const one of names) {
    if (known.has(one.name)) {
      throw new Error(
        `two services of this process are called ${one.name}; give each a service.name of its own, in a config.yaml in a folder of its own`,
      );
    }
    known.set(one.name, one);
  }
  const serving = new Map<string, InMemoryTransport>();
  let isTracingClaimed = false;

  return {
    has: (name, version) => isAmong(known, name, version),
    channel: (_from, to, options) => openNeighbourChannel(() => serving.get(to), to, options),
    async serve(name, options) {
      const transport = await serveInMemory(options);
      serving.set(name, transport);
      return {
        async close(deadlineMs) {
          serving.delete(name);
          await transport.close({ deadlineMs });
        },
      };
    },
    claimTracing() {
      const isFirst = !isTracingClaimed;
      isTracingClaimed = true;
      return isFirst;
    },
  };
}

/** Whether a service is known, in that version if one is named. */
export function isAmong(known: ReadonlyMap<string, NeighbourName>, name: string, version?: string): boolean {
  const found = known.get(name);
  return found !== undefined && (version === undefined || matchesVersion(found.version, version));
}

/** The same server in memory. The transport's own channel is never used, so it does not connect. */
async function serveInMemory(options: ServerOptions): Promise<InMemoryTransport> {
  const { createInMemoryTransport } = await import("@tercel/grpc/testing");
  const { routes, ...serverOptions } = socketless(options);
  return createInMemoryTransport({ routes, serverOptions });
}

/** What is left of a server's options where there are no sockets. */
export function socketless(
  options: ServerOptions,
): Omit<ServerOptions, "tls" | "http1Server" | "gateway" | "maxConnections"> {
  const { tls: _tls, http1Server: _http1, gateway: _gateway, maxConnections: _connections, ...rest } = options;
  return rest;
}

/** A channel that opens when the other side serves, and again when that has stopped and serves again. */
export function openNeighbourChannel(
  find: () => InMemoryTransport | undefined,
  to: string,
  options: NeighbourChannelOptions,
): NeighbourChannel {
  let opened: { readonly by: InMemoryTransport; readonly channel: Channel } | undefined;

  function channelTo(): Transport | undefined {
    const transport = find();
    if (transport === undefined) return undefined;
    if (opened?.by !== transport) opened = { by: transport, channel: transport.createChannel(options) };
    return opened.channel;
  }

  const absent = (): Promise<never> =>
    Promise.reject(new ConnectError(`${to} is in this process and does not serve at the moment`, Code.Unavailable));
  return {
    unary: (...call) => channelTo()?.unary(...call) ?? absent(),
    stream: (...call) => channelTo()?.stream(...call) ?? absent(),
    async close() {
      await opened?.channel.close();
    },
  };
}

/** What is left of a channel's options where there is no network: nothing to find, to secure, to compress or to ping. */
export function inMemoryOptions(name: string, options: ChannelOptions): NeighbourChannelOptions {
  const {
    tls: _tls,
    resolvers: _resolvers,
    connectTimeoutMs: _connect,
    keepalive: _keepalive,
    sendCompression: _compression,
    ...rest
  } = options;
  // Keys and tokens may be shown there: RFC 6761 §6.3, what is below localhost is this machine.
  return { ...rest, authority: `${name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-")}.localhost` };
}
