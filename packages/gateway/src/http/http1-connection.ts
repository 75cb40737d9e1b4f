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

/** Bytes that are read while a response is not complete: what of a client that does not wait for it. */
const maxReadAheadBytes = 64 * 1024;
/** A piece of this size comes where more waits: what is left of it is read in the next turn of the event loop, so that other connections get theirs. */
const minPacedBytes = 64 * 1024;
const cr = 0x0d;
const lf = 0x0a;

/** What a connection needs of its server. */
export interface Http1ConnectionOwner {
  readonly limits: Http1Limits;
  /** Requests that were sent ahead and may be served in this turn of the event loop, over all connections. One of each connection always may. */
  readonly readAhead: TurnBudget;
  /** The server shuts down: responses close their connection. */
  readonly isClosing: boolean;
  /** Takes a request; sets the exchange's listener before it returns. */
  onExchange(exchange: HttpExchange): void;
  /** Answers a request for a WebSocket, or accepts it. Undefined: there are none, and such a request is served as any other. */
  readonly onUpgrade: ((exchange: HttpExchange, upgrade: UpgradeRequest) => void) | undefined;
  onFault(error: unknown): void;
}

/**
 * An HTTP/1.1 connection: reads one request after the other, and reads the next one when the response to the one before is complete. So requests that a
 * client sends ahead cost it alone, and responses are in order.
 */
export class Http1Connection implements Http1ExchangeOwner, ClientState {
  readonly socket: Socket;
  readonly #owner: Http1ConnectionOwner;
  readonly #heads = new HeadFinder();
  readonly #watch: SlowClientWatch;
  readonly #readAhead = new ReadAhead();
  /** The request that is being answered. */
  #exchange: Http1Exchange | undefined = undefined;
  /** Of the request that is being read; undefined between requests. */
  #body: RequestBody | undefined = undefined;
  #isReading = false;
  #isYielding = false;
  /** It has had its share of this turn of the event loop. */
  #isPaced = false;
  /** The last request asked for it. */
  #mustClose = false;
  /** The client sends no more. */
  #hasEnded = false;
  /** The client waits to be asked for the body, and was not. */
  #isBodyHeldBack = false;
  /** What was to be sent has been sent; what still comes of the request is dropped. */
  #isEnding = false;
  /** Nothing that still comes is looked at. */
  #isOver = false;
  /** It speaks another protocol now. */
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
    // A request that waits for room to answer it is not late.
    return !this.#readAhead.isEmpty && !this.socket.writableNeedDrain;
  }

  get maySendSlowly(): boolean {
    return this.#exchange?.maySendSlowly === true;
  }

  // ---- for the server

  /** Bytes have come. They are the connection's to keep. */
  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    const { length } = chunk;
    this.#read(this.#readAhead.take(chunk) as Buffer);
    if (length >= minPacedBytes && !this.#isPaced) this.#pace();
  }

  /** The socket has room for more. */
  onDrain(): void {
    const exchange = this.#exchange;
    exchange?.onDrain();
    if (exchange?.isOver === true && exchange === this.#exchange) this.responseEnded();
    else if (exchange === undefined) this.#continue();
  }

  /** The client sends no more. One that waits for a response cannot be told from one that has left. */
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

  /** Answers what runs, and closes after that. */
  drain(): void {
    if (!this.isServing) this.#close();
  }

  /** Cuts off a client that is too slow. Returns why, if it did. */
  check(nowMs: number): string | undefined {
    const reason = this.#watch.check(nowMs, this);
    if (reason !== undefined) this.#cutOff(reason);
    return reason;
  }

  // ---- Http1ExchangeOwner

  get isLast(): boolean {
    // A client that was not asked for the body need not send it: what comes next could be either.
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
    // Not at once: this is called by the call, which has not ended yet.
    else if (!this.#readAhead.isEmpty) process.nextTick(() => this.#continue());
    else {
      this.flowChanged();
      this.#endAfterLast();
    }
  }

  // ---- reading

  /** Reads on in what was read ahead. */
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

  /** Returns where it stopped. */
  #readRequests(bytes: Buffer): number {
    let at = 0;
    let isFirst = true;
    while (at < bytes.length && !this.#isOver) {
      if (this.#body !== undefined) {
        at = this.#readBody(this.#body, bytes, at);
        continue;
      }
      if (this.#exchange !== undefined || this.#isYielding || this.socket.writableNeedDrain) return at;
      // Empty lines before a request are skipped (RFC 9112 §2.2): all of them, so that it does not matter how they come.
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

  /** Returns where the head ends, and `start` for one that is not complete. */
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
      // A copy, because what was read is freed.
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
    // A response may have begun, and what follows cannot be told from the body.
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
      this.#refuse({ status: 400, problem: "a WebSocket begins with GET and no body" });
      return;
    }
    // What follows is not HTTP, whatever becomes of it.
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

  /** What follows a request that cannot be read may be anything: the connection ends with it. */
  #refuse({ status, problem }: HeadProblem): void {
    this.#isOver = true;
    this.socket.end(plainResponse(status, problem), "latin1");
    this.socket.destroySoon();
  }

  #end(): void {
    this.#isOver = true;
    this.socket.destroy();
  }

  /** Ends the connection when what was sent has left. A client that still sends its request would not read the response before it has. */
  #close(): void {
    if (this.isRequestComplete || this.#isBodyHeldBack) {
      this.#isOver = true;
      this.socket.destroySoon();
      return;
    }
    this.#isEnding = true;
    this.socket.end();
  }

  /** Closes where the client sends no more, and all that it has sent is answered. */
  #endAfterLast(): void {
    if (this.#hasEnded && this.#exchange === undefined && !this.#isYielding) this.#close();
  }

  /** A request that never became complete is answered, unless its response has begun. */
  #cutOff(reason: string): void {
    const isRequest = reason === slowBody || (reason === slowHead && this.isInHead);
    if (isRequest && this.#exchange?.isHeadSent !== true) this.#refuse({ status: 408, problem: reason });
    else this.#end();
  }
}
