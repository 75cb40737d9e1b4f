import type { ConnectionEvents } from "@tercel/http2";
import { type ByteChannel, createConnection, type FedConnection, resolveLimits } from "@tercel/http2/internal";
import type { Connect } from "./client/client-connection.ts";
import { Http2ClientConnection, type Http2ConnectSettings } from "./client/http2-client-connection.ts";
import type { ConnectionOptions, CreateListener, Listener } from "./server/listen.ts";
import { serveStream } from "./server/serve-stream.ts";

/** RFC 9113 §3.4: a client's first bytes. Whoever accepts a connection takes them off before the engine reads. */
const prefaceBytes = 24;

/** Like a socket's: beyond it, `write` returns false. */
const highWaterBytes = 64 * 1024;

export interface InMemoryNetworkOptions {
  /** Bytes that arrive at once, at most. Default: as much as was written. 1 cuts everything into single bytes. */
  readonly maxChunkBytes?: number;
}

/** Both ends of connections that never leave the process: what is written at one end arrives at the other a turn later. */
export interface InMemoryNetwork {
  readonly createListener: CreateListener;
  /** Connections do not have a name that could be verified. */
  connect(settings: Omit<Http2ConnectSettings, "authority" | "isAuthorityFixed">): Connect;
  /** Cuts every connection off without a word, as when a cable is pulled and both sides notice. */
  cut(): void;
}

/** A network of one server and its clients. */
export function createInMemoryNetwork(options: InMemoryNetworkOptions = {}): InMemoryNetwork {
  const maxChunkBytes = options.maxChunkBytes ?? Number.POSITIVE_INFINITY;
  const pipes = new Set<InMemoryPipe>();
  let accept: ((channel: ByteChannel) => FedConnection) | undefined;
  return {
    createListener(plan, calls, connectionOptions) {
      const acceptor = new InMemoryListener(connectionOptions, (stream, head) =>
        serveStream(plan, calls, stream, head),
      );
      accept = (channel) => acceptor.accept(channel);
      return acceptor;
    },
    connect(settings) {
      resolveLimits(settings.limits);
      return (_address, events, attempt) =>
        new Promise((resolve, reject) => {
          if (accept === undefined) {
            reject(new Error("no server listens in memory"));
            return;
          }
          const { keepalive, limits, unindexedFields, clock, limitReporter } = settings;
          const [clientEnd, serverEnd] = createPipe(maxChunkBytes, pipes);
          let ready: Http2ClientConnection | undefined;
          const connection = createConnection(
            "client",
            clientEnd,
            {
              onReady() {
                ready = new Http2ClientConnection(connection);
                resolve(ready);
              },
              onCapacity: () => events.onCapacity(),
              onLimit: (event) => limitReporter?.report(event, undefined, connection),
              onGoaway: (goaway) => events.onGoaway(goaway),
              onClose(error) {
                attempt.signal.removeEventListener("abort", giveUp);
                if (ready !== undefined) events.onClose(error);
                else reject(error ?? new Error("the in-memory server closed the connection before it said anything"));
              },
            },
            { limits, unindexedFields, clock, ...(keepalive === undefined ? {} : { keepalive }) },
          );
          const giveUp = (): void => connection.close();
          attempt.signal.addEventListener("abort", giveUp, { once: true });
          clientEnd.connection = connection;
          try {
            serverEnd.connection = accept(serverEnd);
          } catch (error) {
            connection.close();
            reject(error);
          }
        });
    },
    cut() {
      for (const pipe of pipes) pipe.destroy();
    },
  };
}

class InMemoryListener implements Listener {
  private readonly options: ConnectionOptions;
  private readonly onStream: NonNullable<ConnectionEvents["onStream"]>;
  private readonly connections = new Set<FedConnection>();
  private readonly whenEmpty: (() => void)[] = [];
  private closing = false;

  constructor(options: ConnectionOptions, onStream: NonNullable<ConnectionEvents["onStream"]>) {
    resolveLimits(options.limits);
    this.options = options;
    this.onStream = onStream;
  }

  get address(): undefined {
    return undefined;
  }

  get openConnections(): number {
    return this.connections.size;
  }

  openConnectionList(): FedConnection[] {
    return [...this.connections];
  }

  async listen(): Promise<void> {
    throw new Error("an in-memory server cannot listen on an address");
  }

  updateTls(): void {
    throw new Error("in-memory connections do not support TLS");
  }

  accept(channel: ByteChannel): FedConnection {
    if (this.closing) throw new Error("the in-memory server is closed");
    const connection: FedConnection = createConnection(
      "server",
      channel,
      {
        onStream: this.onStream,
        onLimit: (event) => this.options.onLimit?.(event, undefined, connection),
        onClose: () => {
          this.connections.delete(connection);
          if (this.connections.size === 0) for (const notify of this.whenEmpty.splice(0)) notify();
        },
      },
      this.options,
    );
    this.connections.add(connection);
    return connection;
  }

  async close(deadlineMs: number): Promise<void> {
    this.closing = true;
    if (this.connections.size === 0) return;
    const { clock } = this.options;
    const endAll = (): void => {
      for (const connection of this.connections) connection.close(0, "the server shut down");
    };
    // The caller waits for it, and without a socket nothing else holds the process.
    const cancel = clock?.after(deadlineMs, endAll, true);
    const empty = new Promise<void>((resolve) => this.whenEmpty.push(resolve));
    for (const connection of this.connections) connection.drain("shutdown");
    await empty;
    cancel?.();
  }
}

function createPipe(maxChunkBytes: number, pipes: Set<InMemoryPipe>): readonly [InMemoryPipe, InMemoryPipe] {
  const client = new InMemoryPipe(maxChunkBytes, 0, pipes);
  const server = new InMemoryPipe(maxChunkBytes, prefaceBytes, pipes);
  client.peer = server;
  server.peer = client;
  return [client, server];
}

/** One end of a connection in memory. It behaves as a TCP socket does whose other end is read by the event loop. */
class InMemoryPipe implements ByteChannel {
  connection: FedConnection | undefined = undefined;
  peer: InMemoryPipe | undefined = undefined;
  /** Bytes handed over that the other end has not read, as `net.Socket` has it. */
  writableLength = 0;
  private readonly maxChunkBytes: number;
  private readonly pipes: Set<InMemoryPipe>;
  private chunks: Uint8Array[] = [];
  /** Callbacks for when the last byte of the chunks has left. */
  private waiting: (() => void)[] = [];
  private skipBytes: number;
  private isPaused = false;
  private hasEnded = false;
  private isDestroyed = false;
  private isScheduled = false;

  /** `skipBytes`: how much of what arrives here is not for the engine. */
  constructor(maxChunkBytes: number, skipBytes: number, pipes: Set<InMemoryPipe>) {
    this.maxChunkBytes = maxChunkBytes;
    this.skipBytes = skipBytes;
    this.pipes = pipes;
    pipes.add(this);
  }

  write(bytes: Uint8Array, written?: () => void): boolean {
    if (this.isDestroyed || this.hasEnded) return false;
    // A copy, as the kernel has it: the writer fills the memory again once it is told that this has left, which may be
    // before the other end has read all of it.
    this.chunks.push(new Uint8Array(bytes));
    if (written !== undefined) this.waiting.push(written);
    this.writableLength += bytes.length;
    this.schedule();
    return this.writableLength < highWaterBytes;
  }

  cork(): void {}

  uncork(): void {}

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.peer?.schedule();
  }

  end(): void {
    this.hasEnded = true;
    this.schedule();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.chunks = [];
    this.waiting = [];
    this.pipes.delete(this);
    // Not from within: a socket reports its end in a turn of its own, too.
    setImmediate(() => {
      this.connection?.socketClosed();
      this.peer?.destroy();
    });
  }

  private schedule(): void {
    if (this.isScheduled || this.isDestroyed) return;
    this.isScheduled = true;
    setImmediate(this.deliver);
  }

  private readonly deliver = (): void => {
    this.isScheduled = false;
    const { peer, connection } = this;
    if (peer === undefined || peer.isDestroyed) return;
    while (this.chunks.length > 0 && !peer.isPaused && !this.isDestroyed) {
      const chunk = this.chunks[0] as Uint8Array;
      const rest = chunk.length > this.maxChunkBytes ? chunk.subarray(this.maxChunkBytes) : undefined;
      if (rest === undefined) this.chunks.shift();
      else this.chunks[0] = rest;
      const now = rest === undefined ? chunk : chunk.subarray(0, this.maxChunkBytes);
      this.writableLength -= now.length;
      peer.arrive(now);
    }
    if (this.chunks.length > 0 || this.isDestroyed) return;
    if (this.hasEnded) {
      // Like a socket without allowHalfOpen: the end of one direction ends the other.
      this.destroy();
      return;
    }
    for (const written of this.waiting.splice(0)) written();
    connection?.drained();
  };

  private arrive(chunk: Uint8Array): void {
    const skip = Math.min(this.skipBytes, chunk.length);
    this.skipBytes -= skip;
    if (skip < chunk.length) this.connection?.receive(skip === 0 ? chunk : chunk.subarray(skip));
  }
}
