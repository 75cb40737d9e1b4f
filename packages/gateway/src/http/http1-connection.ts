import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { HttpExchange } from "@tercel/grpc/protocols";
import { ChunkedReader } from "./chunked-reader.ts";
import type { HeadProblem } from "./header-block.ts";
import { Http1Exchange, type Http1ExchangeOwner } from "./http1-exchange.ts";
import { type Http1Limits, maxHeadBytes } from "./http1-limits.ts";
import { plainResponse } from "./plain-response.ts";
import { findPartialProblem, HeadReader, headTooLarge, type RequestHead } from "./request-head.ts";
import { type ClientState, SlowClientWatch, slowBody, slowHead } from "./slow-client-watch.ts";
import type { TurnBudget } from "./turn-budget.ts";

/** Bytes that are read while a response is not complete: what of a client that does not wait for it. */
const maxReadAheadBytes = 64 * 1024;
const headEnd = "\r\n\r\n";
const cr = 0x0d;
const lf = 0x0a;

/** A request that asks for a WebSocket in place of a response. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  /** Hands the connection over: from here on the exchange must not be answered. */
  accept(): void;
}

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
  readonly #heads = new HeadReader();
  readonly #watch: SlowClientWatch;
  /** What was read and is not used yet: part of a head, or what follows a request that is being answered. */
  #pending: Buffer | undefined = undefined;
  /** The request that is being answered. */
  #exchange: Http1Exchange | undefined = undefined;
  /** Of the body that is being read: bytes that are missing, or its chunks. */
  #missingBytes = 0;
  #chunks: ChunkedReader | undefined = undefined;
  isRequestComplete = true;
  #isReading = false;
  #isYielding = false;
  /** Bytes of `#pending` that are known to hold no complete head. */
  #scannedBytes = 0;
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

  get isInHead(): boolean {
    // A request that waits for room to answer it is not late.
    return this.#pending !== undefined && !this.socket.writableNeedDrain;
  }

  get maySendSlowly(): boolean {
    return this.#exchange?.maySendSlowly === true;
  }

  // ---- for the server

  /** Bytes have come. They are the connection's to keep. */
  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    const bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = undefined;
    this.#read(bytes);
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
    this.#pending = undefined;
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
    const isFull = this.#exchange?.isFull === true || (this.#pending?.length ?? 0) >= maxReadAheadBytes;
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
    else if (this.#pending !== undefined) process.nextTick(() => this.#continue());
    else {
      this.flowChanged();
      this.#endAfterLast();
    }
  }

  // ---- reading

  /** Reads on in what was read ahead. */
  #continue(): void {
    const bytes = this.#pending;
    if (this.#isOver || this.#isReading || this.#isYielding) return;
    this.#pending = undefined;
    if (bytes === undefined) this.flowChanged();
    else this.#read(bytes);
  }

  #read(bytes: Buffer): void {
    this.#isReading = true;
    const at = this.#readRequests(bytes);
    this.#isReading = false;
    if (this.#isOver) return;
    if (at < bytes.length) this.#keep(bytes, at);
    this.flowChanged();
    this.#endAfterLast();
  }

  /** Returns where it stopped. */
  #readRequests(bytes: Buffer): number {
    let at = 0;
    let isFirst = true;
    while (at < bytes.length && !this.#isOver) {
      if (!this.isRequestComplete) {
        at = this.#readBody(bytes, at);
        continue;
      }
      if (this.#exchange !== undefined || this.#isYielding || this.socket.writableNeedDrain) return at;
      // Empty lines before a request are skipped (RFC 9112 §2.2): all of them, so that it does not matter how they come.
      if (bytes[at] === cr && bytes[at + 1] === lf) {
        this.#scannedBytes = 0;
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

  #yield(): void {
    this.#isYielding = true;
    setImmediate(() => {
      this.#isYielding = false;
      this.#continue();
    });
  }

  /** Copied, unless it is most of what it is part of: a few bytes must not hold the memory of all that was read with them. */
  #keep(bytes: Buffer, at: number): void {
    this.#pending = at === 0 && bytes.length >= maxReadAheadBytes ? bytes : Buffer.from(bytes.subarray(at));
  }

  /** Returns where the head ends, and `start` for one that is not complete. */
  #readHead(bytes: Buffer, start: number): number {
    const scanned = start + this.#scannedBytes;
    const end = bytes.indexOf(headEnd, Math.max(start, scanned - (headEnd.length - 1)), "latin1");
    if (end === -1 || end - start > maxHeadBytes - headEnd.length) {
      const isTooLarge = end !== -1 || bytes.length - start > maxHeadBytes;
      // From the last line end on, of which a part may have come before.
      const unseen = scanned > start && bytes[scanned - 1] === cr ? scanned - 1 : scanned;
      const problem = isTooLarge ? headTooLarge : findPartialProblem(bytes.toString("latin1", unseen));
      this.#scannedBytes = bytes.length - start;
      if (problem !== undefined) this.#refuse(problem);
      return start;
    }
    this.#scannedBytes = 0;
    const head = this.#heads.read(bytes.toString("latin1", start, end + headEnd.length));
    if ("problem" in head) {
      this.#refuse(head);
      return start;
    }
    this.#begin(head, bytes, end + headEnd.length);
    return end + headEnd.length;
  }

  #begin(head: RequestHead, bytes: Buffer, bodyStart: number): void {
    const { block, version } = head;
    this.#watch.turn();
    this.#mustClose = block.asksToClose || version === "1.0";
    this.#missingBytes = block.contentLength;
    this.#chunks = block.isChunked ? new ChunkedReader() : undefined;
    this.isRequestComplete = !block.isChunked && block.contentLength === 0;
    const { onUpgrade } = this.#owner;
    if (block.isForWebSocket && version === "1.1" && onUpgrade !== undefined) {
      this.#upgrade(head, bytes.subarray(bodyStart), onUpgrade);
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

  #readBody(bytes: Buffer, at: number): number {
    const exchange = this.#exchange;
    if (this.#chunks !== undefined) {
      const next = this.#chunks.push(bytes, at, (data) => exchange?.onData(data));
      // A response may have begun, and what follows cannot be told from the body.
      if (next === -1) this.#end();
      else if (this.#chunks.isComplete) this.#completeRequest();
      return next === -1 ? bytes.length : next;
    }
    const end = Math.min(bytes.length, at + this.#missingBytes);
    this.#missingBytes -= end - at;
    exchange?.onData(bytes.subarray(at, end));
    if (this.#missingBytes === 0) this.#completeRequest();
    return end;
  }

  #completeRequest(): void {
    this.isRequestComplete = true;
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

/** As packages expect it that take over a connection. */
function toIncomingMessage({ method, target, version, block }: RequestHead, socket: Socket): IncomingMessage {
  const request = new IncomingMessage(socket);
  request.method = method;
  request.url = target;
  request.httpVersion = version;
  request.httpVersionMajor = 1;
  request.httpVersionMinor = version === "1.1" ? 1 : 0;
  const headers: NodeJS.Dict<string> = Object.create(null);
  for (let at = 0; at < block.fields.length; at += 2) {
    const name = block.fields[at] as string;
    const value = block.fields[at + 1] as string;
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  request.headers = headers;
  return request;
}
