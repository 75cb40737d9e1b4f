import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { matchesVersion } from "@tercel/discovery";
import type { Channel, ChannelOptions, ServerOptions } from "@tercel/grpc";
import type { InMemoryOptions, InMemoryTransport } from "@tercel/grpc/testing";

/** A channel to a service in the same process. */
export interface NeighbourChannel extends Transport {
  close(): Promise<void>;
}

/** Options of an in-memory channel. */
export type NeighbourChannelOptions = NonNullable<InMemoryOptions["channelOptions"]>;

/** Services that run in one process and call each other in memory. */
export interface Neighbours {
  /** Whether a service with this name, and version if given, is among them. */
  has(name: string, version?: string): boolean;
  /** Creates a channel from one service to another. Calls fail with UNAVAILABLE while the other one does not serve. */
  channel(from: string, to: string, options: NeighbourChannelOptions): NeighbourChannel;
  /** Serves a service in memory until the returned object is closed. */
  serve(name: string, options: ServerOptions): Promise<{ close(deadlineMs: number): Promise<void> }>;
  /** Returns true for the first caller, which must set up tracing for the process. */
  claimTracing(): boolean;
}

/** Name and version of a neighbour. */
export interface NeighbourName {
  readonly name: string;
  readonly version: string;
}

/**
 * Creates the neighbours before any of them has started.
 *
 * @throws Error for duplicate names
 */
export function createNeighbours(names: readonly NeighbourName[]): Neighbours {
  const known = new Map<string, NeighbourName>();
  for (const one of names) {
    if (known.has(one.name)) {
      throw new Error(
        `duplicate service name ${one.name} in this process; set a different service.name in the config.yaml of each`,
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

/** Whether a service, of the version if given, is known. */
export function isAmong(known: ReadonlyMap<string, NeighbourName>, name: string, version?: string): boolean {
  const found = known.get(name);
  return found !== undefined && (version === undefined || matchesVersion(found.version, version));
}

/** Creates the same server in memory. The transport's own channel is not used, so it does not connect. */
async function serveInMemory(options: ServerOptions): Promise<InMemoryTransport> {
  const { createInMemoryTransport } = await import("@tercel/grpc/testing");
  const { routes, ...serverOptions } = socketless(options);
  return createInMemoryTransport({ routes, serverOptions });
}

/** Returns the server options that apply without sockets. */
export function socketless(
  options: ServerOptions,
): Omit<ServerOptions, "tls" | "http1Server" | "gateway" | "maxConnections"> {
  const { tls: _tls, http1Server: _http1, gateway: _gateway, maxConnections: _connections, ...rest } = options;
  return rest;
}

/** Creates a channel that opens whenever the other side serves. */
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
    Promise.reject(new ConnectError(`${to} in this process is not serving`, Code.Unavailable));
  return {
    unary: (...call) => channelTo()?.unary(...call) ?? absent(),
    stream: (...call) => channelTo()?.stream(...call) ?? absent(),
    async close() {
      await opened?.channel.close();
    },
  };
}

/** Returns the channel options that apply without a network: no resolver, TLS, compression or keepalive. */
export function inMemoryOptions(name: string, options: ChannelOptions): NeighbourChannelOptions {
  const {
    tls: _tls,
    resolvers: _resolvers,
    connectTimeoutMs: _connect,
    keepalive: _keepalive,
    sendCompression: _compression,
    ...rest
  } = options;
  // Credentials may be sent to names below localhost, which are this machine (RFC 6761 §6.3).
  return { ...rest, authority: `${name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-")}.localhost` };
}
