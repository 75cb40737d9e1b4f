import { createServer as createNetServer, type Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { Connection } from "../connection/connection.ts";
import type { ConnectionEvents } from "../connection/connection-options.ts";
import { SharedOutput } from "../connection/flow/shared-output.ts";
import { SharedUnfinished } from "../connection/flow/unfinished-messages.ts";
import { GrowthAllowance } from "../connection/flow/window-growth.ts";
import { type ConnectionLimits, resolveLimits } from "../connection/limits.ts";
import { type Clock, systemClock } from "../connection/time/clock.ts";
import { Ticker } from "../connection/time/ticker.ts";
import { ErrorCode } from "../errors/error-code.ts";
import type { PeerTls } from "../stream/peer-tls.ts";
import { attach } from "./attach.ts";
import type { Http2Server } from "./http2-server.ts";
import type { Http2ServerOptions, ListenAddress } from "./server-options.ts";
import { SocketAcceptor } from "./socket-acceptor.ts";
import { isTlsSocket } from "./tls/is-tls-socket.ts";
import { readPeerCertificate } from "./tls/peer-certificate.ts";
import { UnixSocketFile } from "./unix-socket-file.ts";

/** Never: no network can lose a process of this machine, which closes what it no longer needs. */
const localMaxIdleMs = 0;

/** Creates a server; `listen` starts it. Throws when `limits` or `tls` are invalid. */
export function createHttp2Server(options: Http2ServerOptions): Http2Server {
  return new SocketServer(options);
}

class SocketServer implements Http2Server {
  private readonly options: Http2ServerOptions;
  private readonly ticker: Ticker;
  private readonly growthAllowance: GrowthAllowance;
  private readonly sharedOutput: SharedOutput;
  private readonly sharedUnfinished: SharedUnfinished;
  private readonly clock: Clock;
  private readonly listener: ReturnType<typeof createNetServer>;
  private readonly acceptor: SocketAcceptor;
  private readonly connections = new Set<Connection>();
  private socketFile: UnixSocketFile | undefined = undefined;
  private limits: ConnectionLimits;
  private closing = false;
  private readonly whenEmpty: (() => void)[] = [];
  /** One for all connections: whatever is theirs alone is memory that ten thousand idle ones hold ten thousand times. */
  private readonly events: ConnectionEvents;

  constructor(options: Http2ServerOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.ticker = options.ticker ?? new Ticker(this.clock);
    const limits = resolveLimits(options.limits);
    this.limits = limits;
    this.growthAllowance = options.growthAllowance ?? new GrowthAllowance(limits.windows.sharedGrowthBytes);
    this.sharedOutput = options.sharedOutput ?? new SharedOutput(limits.output);
    this.sharedUnfinished = options.sharedUnfinished ?? new SharedUnfinished(limits.unfinishedMessages.sharedBytes);
    this.events = {
      onStream: (stream, head, connection: Connection) => options.onStream(stream, head, connection),
      onLimit: (event, connection: Connection) => options.onLimit?.(event, connection.remoteAddress, connection),
      onClose: (_error, connection: Connection) => {
        this.connections.delete(connection);
        this.checkEmpty();
      },
    };
    this.acceptor = new SocketAcceptor(options, {
      clock: this.clock,
      handshakeTimeoutMs: limits.life.handshakeTimeoutMs,
      serve: (socket, rest) => this.serve(socket, rest),
    });
    this.listener = createNetServer({ noDelay: true }, (socket) => this.acceptor.admit(socket));
    // Before it listens, an error rejects `listen`.
    this.listener.on("error", (error) => {
      if (!this.listener.listening) return;
      options.onError?.(error);
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EMFILE" || code === "ENFILE") {
        this.acceptor.reportLimit("file_handles", "refused", `the system refused a connection: ${code}`, undefined);
      }
    });
  }

  async listen(address: ListenAddress): Promise<void> {
    if (address.path !== undefined) {
      const { limits } = this.options;
      const maxIdleMs = limits?.life?.maxIdleMs ?? localMaxIdleMs;
      this.limits = resolveLimits({ ...limits, life: { ...limits?.life, maxIdleMs } });
    }
    if (address.path === undefined || process.platform === "win32") {
      await this.bind(address, (bind) => bind());
      return;
    }
    const file = await UnixSocketFile.prepare(address.path, address.mode);
    await this.bind({ path: file.bindPath }, (bind) => file.bindPrivately(bind));
    try {
      await file.publish();
    } catch (error) {
      this.listener.close();
      throw error;
    }
    this.socketFile = file;
    if (this.closing) file.remove();
  }

  private bind(address: ListenAddress, within: (bind: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(error);
      this.listener.once("error", failed);
      within(() =>
        this.listener.listen(address, () => {
          this.listener.off("error", failed);
          resolve();
        }),
      );
    });
  }

  updateTls(tls: TlsOptions): void {
    this.acceptor.updateTls(tls);
  }

  get openHandshakes(): number {
    return this.acceptor.openHandshakes;
  }

  get address(): ListenAddress | undefined {
    const address = this.listener.address();
    if (address === null) return undefined;
    return typeof address === "string"
      ? { path: this.socketFile?.path ?? address }
      : { host: address.address, port: address.port };
  }

  get openConnections(): number {
    return this.connections.size;
  }

  openConnectionList(): Connection[] {
    return [...this.connections];
  }

  async close(deadlineMs: number): Promise<void> {
    this.closing = true;
    this.listener.close();
    this.socketFile?.remove();
    this.acceptor.close();
    const cancel = this.clock.after(deadlineMs, () => {
      for (const connection of this.connections) connection.close(ErrorCode.noError, "the server shut down");
    });
    const empty = new Promise<void>((resolve) => {
      this.whenEmpty.push(resolve);
    });
    for (const connection of this.connections) connection.drain("shutdown");
    this.checkEmpty();
    await empty;
    cancel();
  }

  /** `rest` is what follows the preface; undefined when the preface was invalid, which the connection reports to the peer. */
  private serve(socket: Socket, rest: Uint8Array | undefined): void {
    const connection = new Connection("server", socket, this.events, {
      ...this.options,
      resolvedLimits: this.limits,
      ticker: this.ticker,
      growthAllowance: this.growthAllowance,
      sharedOutput: this.sharedOutput,
      sharedUnfinished: this.sharedUnfinished,
      peerTls: peerTlsOf(socket),
    });
    this.connections.add(connection);
    attach(connection, socket);
    if (rest === undefined) connection.close(ErrorCode.protocolError, "invalid preface");
    else if (rest.length > 0) connection.receive(rest);
  }

  private checkEmpty(): void {
    if (this.closing && this.connections.size === 0) for (const notify of this.whenEmpty.splice(0)) notify();
  }
}

function peerTlsOf(socket: Socket): PeerTls | undefined {
  return isTlsSocket(socket) ? { certificate: readPeerCertificate(socket) } : undefined;
}
