import type { Socket } from "node:net";
import type { Http1Exchange, Http1ExchangeOwner } from "./http1-exchange.ts";
import { plainResponse } from "./plain-response.ts";

/** Times and rates below which a client holds a connection without using it. */
export interface Http1Limits {
  /** From the first byte of a head to its last. Default 10,000. */
  readonly headTimeoutMs: number;
  /** Without a request. Default 75,000, longer than most load balancers keep theirs, so that they close first. */
  readonly idleTimeoutMs: number;
  /** A body that comes slower, after ten seconds, is cut off. Default 1024. */
  readonly minBodyBytesPerSecond: number;
  /** A client that takes nothing of a response for so long is cut off. Default 30,000. */
  readonly stallTimeoutMs: number;
}

export const defaultHttp1Limits: Http1Limits = {
  headTimeoutMs: 10_000,
  idleTimeoutMs: 75_000,
  minBodyBytesPerSecond: 1024,
  stallTimeoutMs: 30_000,
};

const bodyGraceMs = 10_000;
const slowHead = "a request comes too slowly";
const slowBody = "the request's body comes too slowly";
/** Requests that a client has sent before it had the response to the first. */
const maxPipelined = 32;

/** An HTTP/1.1 connection: knows what it waits for, and for how long. */
export class Http1Connection implements Http1ExchangeOwner {
  readonly socket: Socket;
  readonly #limits: Http1Limits;
  readonly #open: Http1Exchange[] = [];
  isClosing = false;
  /** When it began to wait for what it waits for now. */
  #sinceMs: number;
  #bytesReadThen: number;
  #headSinceMs: number | undefined;
  #bytesWrittenThen = 0;
  #writtenSinceMs: number;
  readonly #now: () => number;

  /** See `Http1ExchangeOwner`. */
  readonly onFault: (error: unknown) => void;

  constructor(socket: Socket, limits: Http1Limits, now: () => number, onFault: (error: unknown) => void) {
    this.onFault = onFault;
    this.socket = socket;
    this.#limits = limits;
    this.#now = now;
    this.#sinceMs = now();
    this.#headSinceMs = this.#sinceMs;
    this.#bytesReadThen = 0;
    this.#writtenSinceMs = this.#sinceMs;
  }

  get isIdle(): boolean {
    return this.#open.length === 0;
  }

  /** False: the client sends requests without reading responses. */
  begin(exchange: Http1Exchange): boolean {
    if (this.#open.length >= maxPipelined) return false;
    this.#open.push(exchange);
    this.#headSinceMs = undefined;
    this.#sinceMs = this.#now();
    this.#bytesReadThen = this.socket.bytesRead;
    this.#writtenSinceMs = this.#sinceMs;
    return true;
  }

  exchangeEnded(): void {
    this.#open.shift();
    this.#sinceMs = this.#now();
    this.#bytesReadThen = this.socket.bytesRead;
    if (this.isClosing && this.isIdle) this.socket.destroySoon();
  }

  /** Answers what runs, and closes after that. */
  drain(): void {
    this.isClosing = true;
    if (this.isIdle) this.socket.destroySoon();
  }

  /** Cuts off a client that is too slow. Returns why, if it did. */
  check(): string | undefined {
    const reason = this.#whyCutOff(this.#now());
    if (reason !== undefined) this.#cutOff(reason);
    return reason;
  }

  /** A request that never became complete is answered, unless its response has begun or others are before it. */
  #cutOff(reason: string): void {
    const { socket } = this;
    const isRequest = reason === slowBody || (reason === slowHead && socket.bytesRead > this.#bytesReadThen);
    const hasBegun = this.#open.length > 1 || this.#open[0]?.isHeadSent === true;
    if (isRequest && !hasBegun) {
      socket.end(plainResponse(408, reason));
      socket.destroySoon();
    } else socket.destroy();
  }

  #whyCutOff(nowMs: number): string | undefined {
    const { socket } = this;
    const exchange = this.#open[0];
    if (exchange === undefined) return this.#whyIdle(nowMs);
    if (socket.bytesWritten !== this.#bytesWrittenThen || socket.writableLength === 0) {
      this.#bytesWrittenThen = socket.bytesWritten;
      this.#writtenSinceMs = nowMs;
    } else if (nowMs - this.#writtenSinceMs > this.#limits.stallTimeoutMs) {
      return "the client does not read the response";
    }
    if (exchange.isRequestComplete || exchange.isPaused) {
      this.#sinceMs = nowMs;
      this.#bytesReadThen = socket.bytesRead;
      return undefined;
    }
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs <= bodyGraceMs || exchange.maySendSlowly) return undefined;
    const bytes = socket.bytesRead - this.#bytesReadThen;
    const isSlow = bytes < (this.#limits.minBodyBytesPerSecond * (elapsedMs - bodyGraceMs)) / 1000;
    return isSlow ? slowBody : undefined;
  }

  #whyIdle(nowMs: number): string | undefined {
    // Something has come since the last response: the head of the next request.
    if (this.socket.bytesRead > this.#bytesReadThen) this.#headSinceMs ??= nowMs;
    if (this.#headSinceMs !== undefined && nowMs - this.#headSinceMs > this.#limits.headTimeoutMs) {
      return slowHead;
    }
    return nowMs - this.#sinceMs > this.#limits.idleTimeoutMs ? "idle" : undefined;
  }
}
