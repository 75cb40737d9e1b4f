import type { Socket } from "node:net";
import type { Clock } from "@tercel/grpc";
import { Http1Connection, type Http1ConnectionOwner } from "./http1-connection.ts";
import { idle } from "./slow-client-watch.ts";
import { TurnBudget } from "./turn-budget.ts";

const checkIntervalMs = 1000;

/** Of requests that were sent ahead: a socket brings hundreds at once, and one may take a millisecond. */
const readAheadPerTurn = { maxCount: 32, maxMs: 4 };

export interface Http1ServerOptions extends Omit<Http1ConnectionOwner, "isClosing" | "readAhead"> {
  readonly clock: Clock;
  /** A connection was cut off, as the reason says. */
  onCutOff(reason: string, peer: string | undefined): void;
}

/** Serves HTTP/1.1 on sockets that a server hands to it. */
export class Http1Server implements Http1ConnectionOwner {
  readonly #options: Http1ServerOptions;
  readonly limits: Http1ConnectionOwner["limits"];
  readonly onExchange: Http1ConnectionOwner["onExchange"];
  readonly onUpgrade: Http1ConnectionOwner["onUpgrade"];
  readonly onFault: Http1ConnectionOwner["onFault"];
  readonly readAhead: TurnBudget;
  readonly #connections = new Set<Http1Connection>();
  readonly #onEmpty: (() => void)[] = [];
  #cancelCheck: (() => void) | undefined = undefined;
  isClosing = false;

  constructor(options: Http1ServerOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.readAhead = new TurnBudget(readAheadPerTurn, () => options.clock.nowMs());
    this.onExchange = options.onExchange;
    this.onUpgrade = options.onUpgrade;
    this.onFault = options.onFault;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** As `net.Server` has it: takes a socket. */
  emit(_event: "connection", socket: Socket): boolean {
    if (this.isClosing) {
      socket.destroy();
      return true;
    }
    socket.setNoDelay(true);
    // Or Node would end a socket whose client has ended its side while part of a response waits for room.
    socket.allowHalfOpen = true;
    const connection = new Http1Connection(socket, this, this.#options.clock.nowMs());
    this.#connections.add(connection);
    listen(socket, { connection, server: this });
    this.#checkLater();
    return true;
  }

  /** The connection's socket is closed. */
  forget(connection: Http1Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    for (const notify of this.#onEmpty.splice(0)) notify();
  }

  async close(deadlineMs: number): Promise<void> {
    this.isClosing = true;
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size > 0) {
      const cutOff = (): void => {
        for (const { socket } of this.#connections) socket.destroy();
      };
      const cancel = this.#options.clock.after(deadlineMs, cutOff, true);
      await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
      cancel();
    }
    this.#cancelCheck?.();
  }

  /** One timer for all connections, while there are any. */
  #checkLater(): void {
    const { clock } = this.#options;
    this.#cancelCheck ??= clock.after(checkIntervalMs, () => {
      this.#cancelCheck = undefined;
      const nowMs = clock.nowMs();
      for (const connection of this.#connections) {
        const { remoteAddress } = connection.socket;
        const reason = connection.check(nowMs);
        if (reason !== undefined && reason !== idle) this.#options.onCutOff(reason, remoteAddress);
      }
      if (this.#connections.size > 0) this.#checkLater();
    });
  }
}

interface Listener {
  readonly connection: Http1Connection;
  readonly server: Http1Server;
}

const attached = Symbol("connection");
type AttachedSocket = Socket & { [attached]: Listener };

/** The listeners are the same for all sockets, which are what they find their connection by: idle connections cost less so. */
function listen(socket: Socket, listener: Listener): void {
  (socket as AttachedSocket)[attached] = listener;
  socket.on("error", ignoreError).on("end", onEnd).on("close", onClose).on("drain", onDrain).on("data", onData);
}

function onData(this: AttachedSocket, chunk: Buffer): void {
  this[attached].connection.onData(chunk);
}

function onDrain(this: AttachedSocket): void {
  this[attached].connection.onDrain();
}

function onEnd(this: AttachedSocket): void {
  this[attached].connection.onEnd();
}

function onClose(this: AttachedSocket): void {
  const { connection, server } = this[attached];
  connection.onClose();
  server.forget(connection);
}

/** What an error means is in the "close" after it. */
function ignoreError(): void {}
