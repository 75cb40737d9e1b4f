import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { formatAddress, formatHostPort } from "../../channel/naming/address-text.ts";
import type { AddressSchema, SecuritySchema, SocketSchema } from "../../gen/grpc/channelz/v1/channelz_pb.ts";
import type { Address, ConnectionStatus } from "../../transport/client/client-connection.ts";
import { ipBytes } from "./ip-bytes.ts";

/** A socket's properties next to its connection. */
export interface SocketPlace {
  readonly id: bigint;
  readonly role: "client" | "server";
  /** Where the server listens, for Unix sockets, whose ends do not have addresses. */
  readonly path: string | undefined;
}

type Time = ReturnType<typeof timestampFromMs>;

/** What both ends are called in a list: `127.0.0.1:4711 -> 127.0.0.1:50051`, ours first. */
export function nameSocket(status: ConnectionStatus, path: string | undefined): string {
  const { local, remote } = status;
  if (local === undefined || remote === undefined) return path === undefined ? "in memory" : `unix:${path}`;
  return `${formatHostPort(local.host, local.port)} -> ${formatHostPort(remote.host, remote.port)}`;
}

/** A connection as channelz reports it (gRFC A14). */
export function describeSocket(status: ConnectionStatus, place: SocketPlace): MessageInitShape<typeof SocketSchema> {
  const { local, remote, tls } = status;
  const { id, role, path } = place;
  const timeOf = (atMs: number | undefined): Time | undefined =>
    atMs === undefined ? undefined : timestampFromMs(Math.round(Date.now() - (status.atMs - atMs)));
  const lastStream = timeOf(status.lastStreamAtMs);
  const lastSent = timeOf(status.lastMessageSentAtMs);
  const lastReceived = timeOf(status.lastMessageReceivedAtMs);
  // Over a Unix socket only the server's end has a name.
  const named = path === undefined ? undefined : { path };
  const localEnd = local ?? (role === "server" ? named : undefined);
  const remoteEnd = remote ?? (role === "client" ? named : undefined);
  return {
    ref: { socketId: id, name: nameSocket(status, path) },
    data: {
      streamsStarted: BigInt(status.streamsStarted),
      streamsSucceeded: BigInt(status.streamsSucceeded),
      streamsFailed: BigInt(status.streamsFailed),
      messagesSent: BigInt(status.messages.sent),
      messagesReceived: BigInt(status.messages.received),
      keepAlivesSent: BigInt(status.keepalivesSent),
      ...(lastStream !== undefined &&
        (role === "client"
          ? { lastLocalStreamCreatedTimestamp: lastStream }
          : { lastRemoteStreamCreatedTimestamp: lastStream })),
      ...(lastSent !== undefined && { lastMessageSentTimestamp: lastSent }),
      ...(lastReceived !== undefined && { lastMessageReceivedTimestamp: lastReceived }),
      // gRFC A14 names each window by the side that may send into it.
      localFlowControlWindow: BigInt(status.sendWindowBytes),
      remoteFlowControlWindow: BigInt(status.receiveWindowBytes),
      ...(status.receivedGoawayCode !== undefined && { receivedGoawayError: status.receivedGoawayCode }),
      ...(status.peerMaxConcurrentStreams !== undefined && {
        peerMaxConcurrentStreams: Math.min(status.peerMaxConcurrentStreams, maxUint32),
      }),
    },
    ...(localEnd !== undefined && { local: describeAddress(localEnd) }),
    ...(remoteEnd !== undefined && { remote: describeAddress(remoteEnd), remoteName: formatAddress(remoteEnd) }),
    ...(tls !== undefined && { security: describeSecurity(tls) }),
  };
}

const maxUint32 = 0xffff_ffff;

export function describeAddress(address: Address): MessageInitShape<typeof AddressSchema> {
  if ("path" in address) return { address: { case: "udsAddress", value: { filename: address.path } } };
  const ipAddress = ipBytes(address.host);
  return ipAddress === undefined
    ? { address: { case: "otherAddress", value: { name: formatAddress(address) } } }
    : { address: { case: "tcpipAddress", value: { ipAddress, port: address.port } } };
}

function describeSecurity(tls: NonNullable<ConnectionStatus["tls"]>): MessageInitShape<typeof SecuritySchema> {
  const { cipherSuite, localCertificate, remoteCertificate } = tls;
  return {
    model: {
      case: "tls",
      value: {
        cipherSuite: { case: "standardName", value: cipherSuite },
        ...(localCertificate !== undefined && { localCertificate: new Uint8Array(localCertificate) }),
        ...(remoteCertificate !== undefined && { remoteCertificate: new Uint8Array(remoteCertificate) }),
      },
    },
  };
}
