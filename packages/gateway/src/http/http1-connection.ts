import type { Socket } from "node:net";
import type { HttpExchange } from "@tercel/grpc/protocols";
import { Http1Exchange, type Http1ExchangeOwner } from "./http1-exchange.ts";
import type { Http1Limits } from "./http1-limits.ts";
import { plainResponse } from "./plain-response.ts";
import { HeadFinder } from "./requests/head-finder.ts";
import type { HeadProblem } from "./requests/header-block.ts";
import { free, ReadAhead } from "./requests/read-ahead.ts";
import { RequestBody } from "./requests/request-body.ts";
import type { RequestHead } from "./requests/request-head.ts";
import { type ClientState, SlowClientWatch, slowBody, slowHead } from "./slow-client-watch.ts";
import type { TurnBudget } from "./turn-budget.ts";
import { toIncomingMessage, type UpgradeRequest } from "./upgrade-request.ts";

/** The maximum number of bytes that are read ahead while a response is not complete. */
const maxReadAheadBytes = 64 * 1024;
/** After a chunk of this size, more data is probably waiting. It is read in the next turn of the event loop, so that other connections get their turn. */
const minPacedBytes = 64 * 1024;
const cr = 0x0d;
const lf = 0x0a;

/** The server of a connection. */
export interface Http1ConnectionOwner {
  readonly limits: Http1Limits;
  /** The number of pipelined requests that may be served in this turn of the event loop, over all connections. Each connection may always serve one. */
  readonly readAhead: TurnBudget;
  /** Whether the server is shutting down: responses close their connection. */
  readonly isClosing: boolean;
  /** Serves a request. Must set the exchange's listener before it returns. */
  onExchange(exchange: HttpExchange): void;
  /** Accepts or rejects a WebSocket request. Undefined: such a request is served like any other. */
  readonly onUpgrade: ((exchange: HttpExchange, upgrade: UpgradeRequest) => void) | undefined;
  onFault(error: unknown): void;
}

/**
 * An HTTP/1.1 connection. It serves one request after another: the next one starts when the response to the previous one is complete. So pipelined
 * requests delay only their own client, and responses are in order.
 */
export class Http1Connection implements Http1ExchangeOwner, ClientState {
  readonly socket: Socket;
  readonly #owner: Http1ConnectionOwner;
  readonly #heads = new HeadFinder();
  readonly #watch: SlowClientWatch;
  readonly #readAhead = new ReadAhead();
  /** The request that is being served. */
  #exchange: Http1Exchange | undefined = undefined;
  /** The body of the request that is being read; undefined between requests. */
  #body: RequestBody | undefined = undefined;
  #isReading = false;
  #isYielding = false;
  /** Whether the connection has used its share of this turn of the event loop. */
  #isPaced = false;
  /** Whether the last request requires closing the connection. */
  #mustClose = false;
  /** Whether the client has ended its side. */
  #hasEnded = false;
  /** Whether the client waits for 100 Continue, which was not sent. */
  #isBodyHeldBack = false;
  /** Whether everything has been sent, and the rest of the request is dropped. */
  #isEnding = false;
  /** Whether further input is ignored. */
  #isOver = false;
  /** Whether the connection has switched to another protocol. */
  #isUpgraded = false;
  isPaused = false;

  constructor(socket: Socket, owner: Http1ConnectionOwner, nowMs: number) {
    this.socket = socket;
    this.#owner = owner;
    this.#watch = new SlowClientWatch(socket, owner.limits, nowMs);
  }

  // ---- ClientState

  get isServing(): boolean {
    return this.#isUpgraded || this.#exchange !== undefined;
  }

  get isRequestComplete(): boolean {
    return this.#body === undefined;
  }

  get isInHead(): boolean {
    // A request that waits until its response can be written is not late.
    return !this.#readAhead.isEmpty && !this.socket.writableNeedDrain;
  }

  get maySendSlowly(): boolean {
    return this.#exchange?.maySendSlowly === true;
  }

  // ---- for the server

  /** Receives bytes, which the connection may keep. */
  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    const { length } = chunk;
    this.#read(this.#readAhead.take(chunk) as Buffer);
    if (length >= minPacedBytes && !this.#isPaced) this.#pace();
  }

  /** Called when the socket has room for more data. */
  onDrain(): void {
    const exchange = this.#exchange;
    exchange?.onDrain();
    if (exchange?.isOver === true && exchange === this.#exchange) this.responseEnded();
    else if (exchange === undefined) this.#continue();
  }

  /** Called when the client has ended its side. A client that waits for a response cannot be distinguished from one that has disconnected. */
  onEnd(): void {
    this.#hasEnded = true;
    if (this.#isUpgraded) return;
    if (this.#exchange !== undefined && !this.#exchange.isOver) this.socket.destroy();
    else this.#endAfterLast();
  }

  onClose(): void {
    this.#isOver = true;
    this.#readAhead.clear();
    this.#exchange?.onClose();
  }

  /** Closes the connection after the running request. */
  drain(): void {
    if (!this.isServing) this.#close();
  }

  /** Closes the connection of a client that is too slow. Returns the reason if it did. */
  check(nowMs: number): string | undefined {
    const reason = this.#watch.check(nowMs, this);
    if (reason !== undefined) this.#cutOff(reason);
    return reason;
  }

  // ---- Http1ExchangeOwner

  get isLast(): boolean {
    // A client that did not get 100 Continue need not send the body, so the next bytes could be the body or a new request.
    return this.#mustClose || this.#isBodyHeldBack || this.#owner.isClosing;
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  flowChanged(): void {
    if (this.#isOver || this.#isUpgraded) return;
    const isFull = this.#isPaced || this.#exchange?.isFull === true || this.#readAhead.length >= maxReadAheadBytes;
    if (isFull === this.isPaused) return;
    this.isPaused = isFull;
    if (isFull) this.socket.pause();
    else this.socket.resume();
  }

  responseEnded(): void {
    const exchange = this.#exchange;
    if (exchange?.isSent !== true) return;
    this.#exchange = undefined;
    this.#watch.turn();
    if (exchange.endsWithConnection || this.isLast) this.#close();
    else if (this.#isReading) return;
    // In the next tick, because this is called by the call before its end.
    else if (!this.#readAhead.isEmpty) process.nextTick(() => this.#continue());
    else {
      this.flowChanged();
      this.#endAfterLast();
    }
  }

  // ---- reading

  /** Continues with the bytes that were read ahead. */
  #continue(): void {
    if (this.#isOver || this.#isReading || this.#isYielding) return;
    const bytes = this.#readAhead.take(undefined);
    if (bytes === undefined) this.flowChanged();
    else this.#read(bytes);
  }

  #read(bytes: Buffer): void {
    this.#isReading = true;
    const at = this.#readRequests(bytes);
    this.#isReading = false;
    if (this.#isOver) {
      free(bytes);
      return;
    }
    this.#readAhead.keep(bytes, at);
    this.flowChanged();
    this.#endAfterLast();
  }

  /** Reads requests. Returns the position where it stopped. */
  #readRequests(bytes: Buffer): number {
    let at = 0;
    let isFirst = true;
    while (at < bytes.length && !this.#isOver) {
      if (this.#body !== undefined) {
        at = this.#readBody(this.#body, bytes, at);
        continue;
      }
      if (this.#exchange !== undefined || this.#isYielding || this.socket.writableNeedDrain) return at;
      // All empty lines before a request are skipped (RFC 9112 §2.2), so that chunk boundaries do not matter.
      if (bytes[at] === cr && bytes[at + 1] === lf) {
        this.#heads.restart();
        at += 2;
        continue;
      }
      if (!isFirst && !this.#owner.readAhead.take()) {
        this.#yield();
        return at;
      }
      isFirst = false;
      const next = this.#readHead(bytes, at);
      if (next === at) return at;
      at = next;
    }
    return at;
  }

  #pace(): void {
    this.#isPaced = true;
    this.flowChanged();
    setImmediate(() => {
      this.#isPaced = false;
      this.flowChanged();
    });
  }

  #yield(): void {
    this.#isYielding = true;
    setImmediate(() => {
      this.#isYielding = false;
      this.#continue();
    });
  }

  /** Returns the end of the head, or `start` if it is not complete. */
  #readHead(bytes: Buffer, start: number): number {
    const head = this.#heads.find(bytes, start);
    if (head === undefined) return start;
    if ("problem" in head) {
      this.#refuse(head);
      return start;
    }
    const { end } = this.#heads;
    this.#begin(head, bytes, end);
    return end;
  }

  #begin(head: RequestHead, bytes: Buffer, bodyStart: number): void {
    const { block, version } = head;
    this.#watch.turn();
    this.#mustClose = block.asksToClose || version === "1.0";
    this.#body = block.isChunked || block.contentLength > 0 ? new RequestBody(block) : undefined;
    const { onUpgrade } = this.#owner;
    if (block.isForWebSocket && version === "1.1" && onUpgrade !== undefined) {
      // A copy, because the buffer is freed.
      this.#upgrade(head, Buffer.from(bytes.subarray(bodyStart)), onUpgrade);
      return;
    }
    const exchange = new Http1Exchange(head, this);
    this.#exchange = exchange;
    this.#isBodyHeldBack = block.awaitsContinue && !this.isRequestComplete;
    this.#serve(exchange);
    if (this.#isBodyHeldBack && !exchange.isHeadSent && !this.#isOver) {
      this.#isBodyHeldBack = false;
      this.socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1");
    }
    if (this.isRequestComplete) exchange.onEnd();
  }

  #serve(exchange: Http1Exchange): void {
    try {
      this.#owner.onExchange(exchange);
    } catch (error) {
      this.onFault(error);
      this.#end();
    }
  }

  #readBody(body: RequestBody, bytes: Buffer, at: number): number {
    const exchange = this.#exchange;
    const next = body.push(bytes, at, (data) => exchange?.onData(data));
    // The response may have started, and the end of the invalid body is unknown, so the connection ends.
    if (next === -1) this.#end();
    else if (body.isComplete) this.#completeRequest();
    return next === -1 ? bytes.length : next;
  }

  #completeRequest(): void {
    this.#body = undefined;
    if (this.#isEnding) this.#close();
    else this.#exchange?.onEnd();
  }

  // ---- another protocol

  #upgrade(
    head: RequestHead,
    rest: Buffer,
    onUpgrade: (exchange: HttpExchange, upgrade: UpgradeRequest) => void,
  ): void {
    if (head.method !== "GET" || !this.isRequestComplete) {
      this.#refuse({ status: 400, problem: "a WebSocket handshake must be a GET request without a body" });
      return;
    }
    // The following bytes are not HTTP, whether or not the WebSocket is accepted.
    this.#mustClose = true;
    const exchange = new Http1Exchange(head, this);
    this.#exchange = exchange;
    const { socket } = this;
    const accept = (): void => {
      this.#isUpgraded = true;
      this.#isOver = true;
      this.#exchange = undefined;
    };
    try {
      onUpgrade(exchange, { request: toIncomingMessage(head, socket), socket, head: rest, accept });
    } catch (error) {
      this.onFault(error);
      this.#end();
    }
    if (!this.#isUpgraded) exchange.onEnd();
  }

  // ---- ending

  /** Rejects an invalid request and ends the connection, because the start of the next request is unknown. */
  #refuse({ status, problem }: HeadProblem): void {
    this.#isOver = true;
    this.socket.end(plainResponse(status, problem), "latin1");
    this.socket.destroySoon();
  }

  #end(): void {
    this.#isOver = true;
    this.socket.destroy();
  }

  /** Ends the connection after the pending output. If the client is still sending its request, only our side ends, so that it can read the response. */
  #close(): void {
    if (this.isRequestComplete || this.#isBodyHeldBack) {
      this.#isOver = true;
      this.socket.destroySoon();
      return;
    }
    this.#isEnding = true;
    this.socket.end();
  }

  /** Closes the connection if the client has ended its side and all its requests have been served. */
  #endAfterLast(): void {
    if (this.#hasEnded && this.#exchange === undefined && !this.#isYielding) this.#close();
  }

  /** Ends the connection, with a 408 for an incomplete request whose response has not started. */
  #cutOff(reason: string): void {
    const isRequest = reason === slowBody || (reason === slowHead && this.isInHead);
    if (isRequest && this.#exchange?.isHeadSent !== true) this.#refuse({ status: 408, problem: reason });
    else this.#end();
  }
}
