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

/** The maximum number of body bytes that wait for the call. Then reading pauses. */
const maxUnusedBytes = 64 * 1024;

/** The connection of an exchange. */
export interface Http1ExchangeOwner {
  readonly socket: Socket;
  /** Whether the connection ends after the current response. */
  readonly isLast: boolean;
  /** Called when `isFull` may have changed. */
  flowChanged(): void;
  /** Called when the exchange has ended its response. */
  responseEnded(): void;
  /** Called with an unexpected error of the code that serves the exchange. */
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
  /** Whether the response has ended, or will not be sent. */
  #isOver = false;
  /** Whether the body may arrive at any speed. */
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

  /** Whether the response has started. */
  get isHeadSent(): boolean {
    return this.#response.hasBegun;
  }

  /** Whether the response has ended, or was reset. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the whole response has been written to the socket. */
  get isSent(): boolean {
    return this.#response.isDone;
  }

  get endsWithConnection(): boolean {
    return this.#response.endsWithConnection;
  }

  /** Whether so many bytes wait for the call that reading must pause. */
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

  /** Called when the socket has room for more data. */
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

  /** Always admits, because a connection has one request at a time. */
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
    else this.#fail(new Error("the response body does not match its content-length"));
  }

  reset(): void {
    this.#isOver = true;
    // Earlier output still arrives, if the socket has room for it.
    this.#response.flush();
    this.#owner.socket.destroy();
  }

  /** Ends the connection, and with it the call, after an error of a listener. In an event of Node, the error would end the process. */
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

/** One object for each connection, because others cache data of the certificate by it. */
const clientTls = new WeakMap<TLSSocket, ClientTls>();

function clientTlsOf(socket: TLSSocket): ClientTls {
  let tls = clientTls.get(socket);
  if (tls === undefined) {
    tls = readClientTls(socket);
    clientTls.set(socket, tls);
  }
  return tls;
}
