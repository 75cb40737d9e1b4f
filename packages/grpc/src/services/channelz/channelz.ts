import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { type Channel, coreOf } from "../../channel/channel.ts";
import type { ChannelCore } from "../../channel/core/channel-core.ts";
import { formatAddress } from "../../channel/naming/address-text.ts";
import type { ConnectivityState } from "../../channel/subchannel/connectivity.ts";
import type { CallCounts, Subchannel } from "../../channel/subchannel/index.ts";
import {
  type ChannelDataSchema,
  type ChannelSchema,
  ChannelTraceSchema,
  Channelz as ChannelzService,
  type ServerSchema,
  ChannelTraceEvent_Severity as Severity,
  type SocketSchema,
  ChannelConnectivityState_State as State,
  type SubchannelSchema,
} from "../../gen/grpc/channelz/v1/channelz_pb.ts";
import { connectionsOf, type Server } from "../../server/server.ts";
import type { ConnectionStatus } from "../../transport/client/client-connection.ts";
import { describeAddress, describeSocket, nameSocket } from "./describe-socket.ts";
import { createRegister } from "./register.ts";

/** What a socket is known by: a connection of either side, or a server, for the one that it listens on. */
type SocketSubject = { status?(): ConnectionStatus };

/** The state of channels and servers, for grpcdebug and other tools (grpc.channelz.v1, gRFC A14). */
export interface Channelz {
  /**
   * Tells of a channel or server from now on; the returned function ends that.
   *
   * @throws TypeError for a channel that `createChannel` has not made
   */
  add(subject: Channel | Server): () => void;
  /** The descriptor of grpc.channelz.v1.Channelz, for reflection and for clients. */
  readonly service: typeof ChannelzService;
  /** Registers grpc.channelz.v1.Channelz with a router. */
  readonly routes: (router: ConnectRouter) => void;
}

/** Responses hold at most this many entries, whatever the client requests. */
const maxResults = 100;

const states: Readonly<Record<ConnectivityState, State>> = {
  idle: State.IDLE,
  connecting: State.CONNECTING,
  ready: State.READY,
  transient_failure: State.TRANSIENT_FAILURE,
  shutdown: State.SHUTDOWN,
};

/**
 * Creates a channelz service that knows only what is added to it: addresses, targets and error messages are not for every client that
 * may call a server, so serve it on a port of your own. It reports channels, their subchannels, servers, and the sockets of
 * both.
 */
export function createChannelz(subjects: Iterable<Channel | Server> = []): Channelz {
  // One sequence of numbers for all kinds, so that none can be mistaken for another.
  let lastId = 0n;
  const nextId = (): bigint => ++lastId;
  const channels = createRegister<ChannelCore>(nextId);
  const servers = createRegister<Server>(nextId);
  const ids = new WeakMap<object, bigint>();

  function idOf(thing: Subchannel | SocketSubject | Server): bigint {
    const id = ids.get(thing) ?? nextId();
    ids.set(thing, id);
    return id;
  }

  function add(subject: Channel | Server): () => void {
    if ("listen" in subject) return servers.add(subject);
    const core = coreOf(subject);
    if (core === undefined) throw new TypeError("createChannelz: the channel is none that createChannel has made");
    return channels.add(core);
  }

  function describeChannel(id: bigint, core: ChannelCore): MessageInitShape<typeof ChannelSchema> {
    const { history, clock, state, target } = core;
    return {
      ref: { channelId: id, name: target.text },
      data: {
        ...describeData(target.text, state, history),
        ...(history.started > 0 && { lastCallStartedTimestamp: wallTime(core, history.lastStartedAtMs) }),
        trace: create(ChannelTraceSchema, {
          numEventsLogged: BigInt(history.failed),
          events: history.lastErrors(clock.nowMs()).map(({ status, message, count, msAgo }) => ({
            description: `a call failed with ${status}${count > 1 ? ` (${count} times)` : ""}: ${message}`,
            severity: Severity.CT_WARNING,
            timestamp: timestampFromMs(Math.round(Date.now() - msAgo)),
          })),
        }),
      },
      subchannelRef: [...history.liveSubchannels()].map((subchannel) => subchannelRef(subchannel)),
    };
  }

  function subchannelRef(subchannel: Subchannel) {
    return { subchannelId: idOf(subchannel), name: formatAddress(subchannel.address) };
  }

  function* allSubchannels(): Generator<Subchannel> {
    for (const [, core] of channels.from(0n)) yield* core.history.liveSubchannels();
  }

  function findSubchannel(id: bigint): MessageInitShape<typeof SubchannelSchema> {
    for (const subchannel of allSubchannels()) {
      if (idOf(subchannel) !== id) continue;
      const ref = subchannelRef(subchannel);
      const path = "path" in subchannel.address ? subchannel.address.path : undefined;
      return {
        ref,
        data: describeData(ref.name, subchannel.state, subchannel.calls),
        socketRef: [...(subchannel.openConnections ?? [])].map((connection) => socketRef(connection, path)),
      };
    }
    throw notFound("subchannel", id);
  }

  function socketRef(connection: SocketSubject, path: string | undefined) {
    const status = connection.status?.();
    return { socketId: idOf(connection), name: status === undefined ? "" : nameSocket(status, path) };
  }

  /** By their numbers; those that were not requested before get the next ones, in the order in which they were added. */
  function serverSockets(server: Server) {
    return connectionsOf(server)
      .map((connection) => socketRef(connection, server.address?.path))
      .sort((a, b) => (a.socketId < b.socketId ? -1 : 1));
  }

  function findSocket(id: bigint): MessageInitShape<typeof SocketSchema> {
    for (const subchannel of allSubchannels()) {
      const path = "path" in subchannel.address ? subchannel.address.path : undefined;
      for (const connection of subchannel.openConnections ?? []) {
        const status = idOf(connection) === id ? connection.status?.() : undefined;
        if (status !== undefined) return describeSocket(status, { id, role: "client", path });
      }
    }
    for (const [, server] of servers.from(0n)) {
      if (server.address !== undefined && idOf(server) === id) {
        return { ref: { socketId: id, name: nameServer(server) }, local: describeAddress(server.address) };
      }
      for (const connection of connectionsOf(server)) {
        if (idOf(connection) !== id) continue;
        return describeSocket(connection.status(), { id, role: "server", path: server.address?.path });
      }
    }
    throw notFound("socket", id);
  }

  function describeServer(id: bigint, server: Server): MessageInitShape<typeof ServerSchema> {
    const name = nameServer(server);
    return {
      ref: { serverId: id, name },
      data: describeCalls(server.calls),
      listenSocket: server.address === undefined ? [] : [{ socketId: idOf(server), name }],
    };
  }

  const routes = (router: ConnectRouter): void => {
    router.service(ChannelzService, {
      getTopChannels({ startChannelId, maxResults: wanted }) {
        const { entries, end } = page(channels.from(startChannelId), wanted);
        return { channel: entries.map(([id, core]) => describeChannel(id, core)), end };
      },
      getChannel({ channelId }) {
        const core = channels.find(channelId);
        if (core === undefined) throw notFound("channel", channelId);
        return { channel: describeChannel(channelId, core) };
      },
      getSubchannel: ({ subchannelId }) => ({ subchannel: findSubchannel(subchannelId) }),
      getServers({ startServerId, maxResults: wanted }) {
        const { entries, end } = page(servers.from(startServerId), wanted);
        return { server: entries.map(([id, server]) => describeServer(id, server)), end };
      },
      getServer({ serverId }) {
        const server = servers.find(serverId);
        if (server === undefined) throw notFound("server", serverId);
        return { server: describeServer(serverId, server) };
      },
      getServerSockets({ serverId, startSocketId, maxResults: wanted }) {
        const server = servers.find(serverId);
        if (server === undefined) throw notFound("server", serverId);
        const found = serverSockets(server).filter(({ socketId }) => socketId >= startSocketId);
        const { entries, end } = page(found, wanted);
        return { socketRef: entries, end };
      },
      getSocket: ({ socketId }) => ({ socket: findSocket(socketId) }),
    });
  };

  for (const subject of subjects) add(subject);
  return { add, service: ChannelzService, routes };
}

function describeData(
  target: string,
  state: ConnectivityState,
  calls: Readonly<CallCounts> | undefined,
): MessageInitShape<typeof ChannelDataSchema> {
  return { target, state: { state: states[state] }, ...(calls !== undefined && describeCalls(calls)) };
}

function nameServer({ address }: Server): string {
  return address === undefined ? "not listening" : (address.path ?? `${address.host}:${address.port}`);
}

function describeCalls({ started, succeeded, failed }: Readonly<CallCounts>) {
  return { callsStarted: BigInt(started), callsSucceeded: BigInt(succeeded), callsFailed: BigInt(failed) };
}

/** What a channel's clock said at some time, as time of day. */
function wallTime(core: ChannelCore, atMs: number) {
  return timestampFromMs(Math.round(Date.now() - (core.clock.nowMs() - atMs)));
}

/** gRFC A14: 0 leaves the number to the server. */
function page<T>(found: Iterable<T>, wanted: bigint): { readonly entries: T[]; readonly end: boolean } {
  if (wanted < 0n) throw new ConnectError(`max_results is ${wanted}; it must not be negative`, Code.InvalidArgument);
  const limit = wanted === 0n || wanted > maxResults ? maxResults : Number(wanted);
  const entries: T[] = [];
  for (const entry of found) {
    if (entries.length === limit) return { entries, end: false };
    entries.push(entry);
  }
  return { entries, end: true };
}

function notFound(kind: string, id: bigint): ConnectError {
  return new ConnectError(`${kind} ${id} not found`, Code.NotFound);
}
