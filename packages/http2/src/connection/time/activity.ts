import type { ByteChannel } from "../byte-channel.ts";

/** Messages as the layer above sees them, which alone knows where one ends. It counts them itself. */
export interface MessageCounts {
  sent: number;
  received: number;
}

/** One end of a connection; absent in memory and over Unix sockets. */
export interface SocketEnd {
  readonly host: string;
  readonly port: number;
}

/** What TLS agreed on. */
export interface TlsStatus {
  /** The suite's name by the IETF, such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipherSuite: string;
  /** Certificates as DER; absent where an end has shown none. */
  readonly localCertificate?: Uint8Array;
  readonly remoteCertificate?: Uint8Array;
}

/** Counts and state of a connection, for debugging a running process. Times are the clock's `nowMs`. */
export interface ConnectionStatus {
  /** When this was read. */
  readonly atMs: number;
  readonly streamsStarted: number;
  /** The response was sent (server) or came (client) to its end. */
  readonly streamsSucceeded: number;
  readonly streamsFailed: number;
  readonly messages: Readonly<MessageCounts>;
  readonly keepalivesSent: number;
  /** The last stream and the last messages, to within a second; absent before the first. */
  readonly lastStreamAtMs?: number;
  readonly lastMessageSentAtMs?: number;
  readonly lastMessageReceivedAtMs?: number;
  /** Bytes that this end may send, and that the peer may, on all streams together. */
  readonly sendWindowBytes: number;
  readonly receiveWindowBytes: number;
  /** Client: what the server has said, if it has. */
  readonly peerMaxConcurrentStreams?: number;
  readonly receivedGoawayCode?: number;
  readonly local?: SocketEnd;
  readonly remote?: SocketEnd;
  readonly tls?: TlsStatus;
}

/**
 * Counts what happens on a connection. An event costs an addition; its time is read once a tick, because reading the clock
 * for each message would cost more than the counting.
 */
export class Activity {
  readonly messages: MessageCounts = { sent: 0, received: 0 };
  streamsSucceeded = 0;
  streamsFailed = 0;
  keepalivesSent = 0;
  receivedGoawayCode: number | undefined = undefined;
  private seenStreams = 0;
  private seenSent = 0;
  private seenReceived = 0;
  private lastStreamAtMs = -1;
  private lastMessageSentAtMs = -1;
  private lastMessageReceivedAtMs = -1;

  /** Takes `nowMs` for the time of what has happened since the last call. */
  observe(nowMs: number, openStreams: number): void {
    const { messages } = this;
    const streams = this.streamsStarted(openStreams);
    if (streams !== this.seenStreams) this.lastStreamAtMs = nowMs;
    if (messages.sent !== this.seenSent) this.lastMessageSentAtMs = nowMs;
    if (messages.received !== this.seenReceived) this.lastMessageReceivedAtMs = nowMs;
    this.seenStreams = streams;
    this.seenSent = messages.sent;
    this.seenReceived = messages.received;
  }

  describe(nowMs: number, openStreams: number, socket: ByteChannel) {
    this.observe(nowMs, openStreams);
    const local = endOf(socket.localAddress, socket.localPort);
    const remote = endOf(socket.remoteAddress, socket.remotePort);
    const tls = tlsOf(socket);
    return {
      atMs: nowMs,
      streamsStarted: this.streamsStarted(openStreams),
      streamsSucceeded: this.streamsSucceeded,
      streamsFailed: this.streamsFailed,
      messages: { ...this.messages },
      keepalivesSent: this.keepalivesSent,
      ...(this.lastStreamAtMs >= 0 && { lastStreamAtMs: this.lastStreamAtMs }),
      ...(this.lastMessageSentAtMs >= 0 && { lastMessageSentAtMs: this.lastMessageSentAtMs }),
      ...(this.lastMessageReceivedAtMs >= 0 && { lastMessageReceivedAtMs: this.lastMessageReceivedAtMs }),
      ...(this.receivedGoawayCode !== undefined && { receivedGoawayCode: this.receivedGoawayCode }),
      ...(local !== undefined && { local }),
      ...(remote !== undefined && { remote }),
      ...(tls !== undefined && { tls }),
    };
  }

  private streamsStarted(openStreams: number): number {
    return this.streamsSucceeded + this.streamsFailed + openStreams;
  }
}

function endOf(host: string | undefined, port: number | undefined): SocketEnd | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}

function tlsOf(socket: ByteChannel): TlsStatus | undefined {
  // A socket that has closed since then does not have a cipher.
  const cipherSuite = socket.getCipher?.()?.standardName;
  if (cipherSuite === undefined) return undefined;
  const localCertificate = socket.getX509Certificate?.()?.raw;
  const remoteCertificate = socket.getPeerX509Certificate?.()?.raw;
  return {
    cipherSuite,
    ...(localCertificate !== undefined && { localCertificate }),
    ...(remoteCertificate !== undefined && { remoteCertificate }),
  };
}
