import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ClientTls } from "@tercel/grpc";
import {
  frameMessage,
  type HttpExchange,
  type HttpExchangeListener,
  type HttpRequestHead,
  type Payload,
  type PreparedHead,
  readClientTls,
} from "@tercel/grpc/protocols";
import type { RequestHead } from "./requests/request-head.ts";
import { formatPreparedHead, formatResponseHead } from "./response-head.ts";
import { ResponseWriter } from "./response-writer.ts";

/** Bytes of a body that may wait for the call before no more are read. */
const maxUnusedBytes = 64 * 1024;

/** What an exchange needs of its connection. */
export interface Http1ExchangeOwner {
  readonly socket: Socket;
  /** The connection ends with the response whose head is written now. */
  readonly isLast: boolean;
  /** The exchange has taken, or used up, what it reads. */
  flowChanged(): void;
  /** The response is complete as far as the exchange goes. */
  responseEnded(): void;
  /** What serves the exchange threw, which is a bug, in the application's functions or here. */
  onFault(error: unknown): void;
}

/** A request and its response over HTTP/1.1. */
export class Http1Exchange implements HttpExchange {
  readonly head: HttpRequestHead;
  readonly countsCalls = false;
  listener: HttpExchangeListener | undefined = undefined;
  readonly #owner: Http1ExchangeOwner;
  readonly #request: RequestHead;
  readonly #response: ResponseWriter;
  #unusedBytes = 0;
  /** The response is complete, or there will be none. */
  #isOver = false;
  /** The body may come as slowly as the client likes. */
  maySendSlowly = false;

  constructor(request: RequestHead, owner: Http1ExchangeOwner) {
    this.#owner = owner;
    this.#request = request;
    this.#response = new ResponseWriter(owner.socket);
    request.exchangeHead ??= toHttpRequestHead(request, owner.socket instanceof TLSSocket ? "https" : "http");
    this.head = request.exchangeHead;
  }

  get peerAddress(): string | undefined {
    const { remoteAddress, remotePort } = this.#owner.socket;
    if (remoteAddress === undefined) return undefined;
    return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
  }

  get peerTls(): ClientTls | undefined {
    const { socket } = this.#owner;
    return socket instanceof TLSSocket ? clientTlsOf(socket) : undefined;
  }

  // ---- for the connection

  /** The response has begun. */
  get isHeadSent(): boolean {
    return this.#response.hasBegun;
  }

  /** The response is complete, or was cut off. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The socket has all of the response. */
  get isSent(): boolean {
    return this.#response.isDone;
  }

  get endsWithConnection(): boolean {
    return this.#response.endsWithConnection;
  }

  /** So much waits for the call that no more is read. */
  get isFull(): boolean {
    return !this.#isOver && this.#unusedBytes >= maxUnusedBytes;
  }

  onData(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#unusedBytes += bytes.length;
    try {
      this.listener?.onData(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  onEnd(): void {
    if (this.#isOver) return;
    try {
      this.listener?.onEnd();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The socket has room. */
  onDrain(): void {
    this.#response.pump();
    if (this.#isOver || !this.#response.hasRoom) return;
    try {
      this.listener?.onWritable();
    } catch (error) {
      this.#fail(error);
    }
  }

  onClose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.listener?.onClose("the client closed the connection");
    } catch (error) {
      this.#owner.onFault(error);
    }
  }

  // ---- HttpExchange

  allowSlowBody(): void {
    this.maySendSlowly = true;
  }

  consume(bytes: number): void {
    const wasFull = this.isFull;
    this.#unusedBytes -= bytes;
    if (wasFull && !this.isFull) this.#owner.flowChanged();
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
    if (this.#isOver) return;
    this.#response.begin(formatResponseHead(this.#request, status, fields, this.#owner.isLast));
  }

  sendPreparedHead(head: PreparedHead, added: readonly string[]): void {
    if (this.#isOver) return;
    this.#response.begin(formatPreparedHead(this.#request, head, added, this.#owner.isLast));
  }

  sendData(bytes: Uint8Array): boolean {
    return this.#isOver || this.#response.data(bytes);
  }

  sendMessage(payload: Payload): boolean {
    return this.#isOver || this.#response.data(frameMessage(payload));
  }

  end(last?: Uint8Array): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#response.end(last)) this.#owner.responseEnded();
    else this.#fail(new Error("the response's body is not as long as its content-length says"));
  }

  reset(): void {
    this.#isOver = true;
    // What was sent before arrives, if there is room for it.
    this.#response.flush();
    this.#owner.socket.destroy();
  }

  /** Nothing that a listener throws may leave an event of Node's: it would end the process. The connection ends instead, and with it the call. */
  #fail(error: unknown): void {
    this.#owner.onFault(error);
    this.onClose();
    this.#owner.socket.destroy();
  }
}

function toHttpRequestHead(
  { method, target, version, block }: RequestHead,
  scheme: HttpRequestHead["scheme"],
): HttpRequestHead {
  const { authority, fields } = block;
  return { method, path: target, scheme, authority, fields, version, memo: undefined };
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
