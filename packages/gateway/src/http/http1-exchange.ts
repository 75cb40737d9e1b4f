import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { ClientTls } from "@tercel/grpc";
import {
  type HttpExchange,
  type HttpExchangeListener,
  type HttpRequestHead,
  readClientTls,
} from "@tercel/grpc/protocols";

/** Bytes of a body that may wait for the call before no more are read. */
const maxUnusedBytes = 64 * 1024;

/** What a connection needs to know of its exchanges. */
export interface Http1ExchangeOwner {
  /** The server shuts down: responses close their connection. */
  readonly isClosing: boolean;
  exchangeEnded(): void;
  /** What serves the exchange threw, which is a bug, in the application's functions or here. */
  onFault(error: unknown): void;
}

/** A request and its response over HTTP/1.1. */
export class Http1Exchange implements HttpExchange {
  readonly head: HttpRequestHead;
  readonly countsCalls = false;
  listener: HttpExchangeListener | undefined = undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #owner: Http1ExchangeOwner;
  /** The client waits for a permission to send the body. */
  #awaitsContinue: boolean;
  #unusedBytes = 0;
  #isEnded = false;
  /** The body may come as slowly as the client likes. */
  maySendSlowly = false;

  constructor(request: IncomingMessage, response: ServerResponse, owner: Http1ExchangeOwner, awaitsContinue: boolean) {
    this.#request = request;
    this.#response = response;
    this.#owner = owner;
    this.#awaitsContinue = awaitsContinue;
    this.head = readHead(request);
  }

  get peerAddress(): string | undefined {
    const { remoteAddress, remotePort } = this.#request.socket;
    if (remoteAddress === undefined) return undefined;
    return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
  }

  get peerTls(): ClientTls | undefined {
    const { socket } = this.#request;
    return socket instanceof TLSSocket ? clientTlsOf(socket) : undefined;
  }

  /** The response has begun. */
  get isHeadSent(): boolean {
    return this.#response.headersSent;
  }

  /** The client has sent its request as a whole. */
  get isRequestComplete(): boolean {
    return this.#request.complete;
  }

  /** More is not read because the call has not used up what there is. */
  get isPaused(): boolean {
    return this.#request.isPaused();
  }

  /** Call once, when the listener is set. */
  start(): void {
    const request = this.#request;
    const response = this.#response;
    // The response's "close" tells what the call has to know.
    request.on("error", () => {});
    response.on("error", () => {});
    response.on("drain", () => this.#guard(() => this.listener?.onWritable()));
    response.on("close", () => this.#onClose());
    if (this.#isEnded) return;
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      response.writeContinue();
    }
    request.on("data", (chunk: Uint8Array) => this.#onData(chunk));
    request.on("end", () => this.#guard(() => this.listener?.onEnd()));
  }

  allowSlowBody(): void {
    this.maySendSlowly = true;
  }

  consume(bytes: number): void {
    this.#unusedBytes -= bytes;
    if (this.#request.isPaused() && this.#unusedBytes < maxUnusedBytes) this.#request.resume();
  }

  lend(bytes: number): void {
    this.consume(bytes);
  }

  messageComplete(): void {}

  repay(): void {}

  /** Requests of a connection come one after the other. */
  admit(): boolean {
    return true;
  }

  handlerBegan(): void {}

  handlerEnded(): void {}

  sendHead(status: number, fields: readonly string[]): void {
    if (this.#isGone) return;
    // A body that was not asked for must not be taken for the next request.
    if (this.#owner.isClosing || this.#awaitsContinue) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, [...fields]);
    // Headers of a stream leave before its first data.
    if (findLength(fields) === undefined) this.#response.flushHeaders();
  }

  sendData(bytes: Uint8Array): boolean {
    return this.#isGone || this.#response.write(bytes);
  }

  end(last?: Uint8Array): void {
    this.#isEnded = true;
    if (this.#isGone) return;
    this.#response.end(last);
    // What still comes is dropped.
    this.#request.resume();
  }

  reset(): void {
    this.#isEnded = true;
    this.#request.socket.destroy();
  }

  get #isGone(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  /** Nothing that a listener throws may leave an event of Node's: it would end the process. The connection ends instead, and with it the call. */
  #guard(notify: () => void): void {
    if (this.#isEnded) return;
    try {
      notify();
    } catch (error) {
      this.#owner.onFault(error);
      this.#request.socket.destroy();
    }
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isEnded) return;
    this.#unusedBytes += chunk.length;
    this.#guard(() => this.listener?.onData(chunk));
    if (!this.#isEnded && this.#unusedBytes >= maxUnusedBytes) this.#request.pause();
  }

  #onClose(): void {
    this.#guard(() => {
      this.#isEnded = true;
      this.listener?.onClose("the client closed the connection");
    });
    this.#owner.exchangeEnded();
  }
}

/** One object for each connection: what is derived from a certificate is kept by it. */
const clientTls = new WeakMap<TLSSocket, ClientTls>();

function clientTlsOf(socket: TLSSocket): ClientTls {
  let tls = clientTls.get(socket);
  if (tls === undefined) {
    tls = readClientTls(socket);
    clientTls.set(socket, tls);
  }
  return tls;
}

function findLength(fields: readonly string[]): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === "content-length") return fields[at + 1];
  return undefined;
}

function readHead(request: IncomingMessage): HttpRequestHead {
  const { rawHeaders } = request;
  const fields: string[] = [];
  let authority: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    fields.push(name, value);
    if (name === "host") authority ??= value;
  }
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    scheme: request.socket instanceof TLSSocket ? "https" : "http",
    authority,
    fields,
    version: request.httpVersion === "1.0" ? "1.0" : "1.1",
  };
}
