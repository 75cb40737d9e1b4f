import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@tercel/grpc";
import type { HttpExchange } from "@tercel/grpc/protocols";
import { Http1Connection, type Http1Limits } from "./http1-connection.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { findHeadProblem, findUpgradeProblem } from "./http1-request-problem.ts";
import { plainResponse } from "./plain-response.ts";

const maxHeadBytes = 16 * 1024;
const checkIntervalMs = 1000;

/** A request that asks for a WebSocket in place of a response. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  /** Hands the connection over: from here on the exchange must not be answered. */
  accept(): void;
}

export interface Http1ServerOptions {
  readonly clock: Clock;
  readonly limits: Http1Limits;
  /** Takes a request; sets the exchange's listener before it returns. */
  onExchange(exchange: HttpExchange): void;
  /** Answers a request for a WebSocket, or accepts it. Undefined: there are none, and such a request is served as any other. */
  readonly onUpgrade: ((exchange: HttpExchange, upgrade: UpgradeRequest) => void) | undefined;
  /** What serves a request threw, which is a bug. */
  onFault(error: unknown): void;
  /** A connection was cut off, as the reason says. */
  onCutOff(reason: string, peer: string | undefined): void;
}

/** Serves HTTP/1.1 on sockets that a server hands to it, by Node's parser in its strict mode. */
export class Http1Server {
  readonly #options: Http1ServerOptions;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Http1Connection>();
  readonly #onEmpty: (() => void)[] = [];
  #cancelCheck: (() => void) | undefined = undefined;
  /** What was sent after a request that was refused is not looked at. */
  readonly #refused = new WeakSet<Socket>();
  #isClosing = false;

  constructor(options: Http1ServerOptions) {
    this.#options = options;
    const server = createServer({
      maxHeaderSize: maxHeadBytes,
      insecureHTTPParser: false,
      keepAliveTimeout: 0,
      requireHostHeader: false,
      // What asks for another protocol is served as if it had not. Node before 22.21 knows no such option.
      shouldUpgradeCallback: (request) => options.onUpgrade !== undefined && isForWebSocket(request),
    });
    // The size of a head bounds them; Node would leave out what is beyond, and the check below could not see it.
    server.maxHeadersCount = 0;
    server.on("request", (request, response) => this.#onRequest(request, response, false));
    server.on("checkContinue", (request, response) => this.#onRequest(request, response, true));
    if (options.onUpgrade !== undefined) {
      server.on("upgrade", (request, socket, head) => this.#onUpgrade(request, socket as Socket, head));
    }
    server.on("clientError", (error: Error & { code?: string }, socket) =>
      this.#onClientError(error, socket as Socket),
    );
    this.#server = server;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** As `net.Server` has it: takes a socket. */
  emit(event: "connection", socket: Socket): boolean {
    if (this.#isClosing) {
      socket.destroy();
      return true;
    }
    const { clock, limits } = this.#options;
    const onFault = (error: unknown): void => this.#options.onFault(error);
    this.#connections.set(socket, new Http1Connection(socket, limits, () => clock.nowMs(), onFault));
    socket.setNoDelay(true);
    socket.on("close", () => this.#onSocketClose(socket));
    this.#server.emit(event, socket);
    this.#checkLater();
    return true;
  }

  async close(deadlineMs: number): Promise<void> {
    this.#isClosing = true;
    for (const connection of this.#connections.values()) connection.drain();
    if (this.#connections.size > 0) {
      const cutOff = (): void => {
        for (const socket of this.#connections.keys()) socket.destroy();
      };
      const cancel = this.#options.clock.after(deadlineMs, cutOff, true);
      await new Promise<void>((resolve) => this.#onEmpty.push(resolve));
      cancel();
    }
    this.#cancelCheck?.();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    if (this.#refused.has(request.socket)) return;
    const connection = this.#connections.get(request.socket);
    const problem = findHeadProblem(request.httpVersion, request.rawHeaders);
    if (problem !== undefined || connection === undefined) {
      this.#refuse(request.socket, problem?.status ?? 400, problem?.problem ?? "bad request");
      return;
    }
    const exchange = new Http1Exchange(request, response, connection, awaitsContinue);
    if (!connection.begin(exchange)) {
      this.#options.onCutOff("more requests at once than a client may send without reading", exchange.peerAddress);
      request.socket.destroy();
      return;
    }
    try {
      this.#options.onExchange(exchange);
    } catch (error) {
      this.#options.onFault(error);
      request.socket.destroy();
    }
    exchange.start();
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Node has taken off its own listeners.
    socket.on("error", () => {});
    const { onUpgrade } = this.#options;
    const connection = this.#connections.get(socket);
    if (this.#refused.has(socket)) return;
    const problem = findHeadProblem(request.httpVersion, request.rawHeaders) ?? findUpgradeProblem(request);
    if (problem !== undefined || connection === undefined || onUpgrade === undefined) {
      this.#refuse(socket, problem?.status ?? 400, problem?.problem ?? "bad request");
      return;
    }
    // Responses to what was sent before would end up among the messages.
    if (!connection.isIdle) {
      socket.destroy();
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on("finish", () => socket.destroySoon());
    const exchange = new Http1Exchange(request, response, connection, false);
    exchange.allowSlowBody();
    connection.begin(exchange);
    let isAccepted = false;
    const accept = (): void => {
      isAccepted = true;
      response.detachSocket(socket);
    };
    try {
      onUpgrade(exchange, { request, socket, head, accept });
    } catch (error) {
      this.#options.onFault(error);
      socket.destroy();
    }
    if (!isAccepted) exchange.start();
  }

  #onClientError(error: Error & { code?: string }, socket: Socket): void {
    const isTooLarge = error.code === "HPE_HEADER_OVERFLOW";
    this.#refuse(socket, isTooLarge ? 431 : 400, isTooLarge ? `a head over ${maxHeadBytes} bytes` : "not HTTP/1.1");
  }

  /** What follows a request that cannot be read may be anything: the connection ends with it. */
  #refuse(socket: Socket, status: number, problem: string): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const connection = this.#connections.get(socket);
    if (connection !== undefined && !connection.isIdle) {
      socket.destroy();
      return;
    }
    socket.end(plainResponse(status, problem));
    socket.destroySoon();
  }

  #onSocketClose(socket: Socket): void {
    this.#connections.delete(socket);
    if (this.#connections.size > 0) return;
    for (const notify of this.#onEmpty.splice(0)) notify();
  }

  /** One timer for all connections, while there are any. */
  #checkLater(): void {
    this.#cancelCheck ??= this.#options.clock.after(checkIntervalMs, () => {
      this.#cancelCheck = undefined;
      for (const connection of this.#connections.values()) {
        const reason = connection.check();
        if (reason !== undefined && reason !== "idle") {
          this.#options.onCutOff(reason, connection.socket.remoteAddress);
        }
      }
      if (this.#connections.size > 0) this.#checkLater();
    });
  }
}

function isForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}
