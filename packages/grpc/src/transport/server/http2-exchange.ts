import { ErrorCode, type Http2Error, type Http2Stream, type RequestHead, type StreamListener } from "@tercel/http2";
import type { ClientTls } from "../../call/context/call-info.ts";
import { headerListBytes } from "../../protocol/header-list.ts";
import type { Payload } from "../../protocol/payload.ts";
import { sendMessage } from "../messages/send-message.ts";
import type { PreparedHead } from "../prepared-head.ts";
import type { HttpExchange, HttpExchangeListener, HttpRequestHead } from "./http-exchange.ts";

const noBytes = new Uint8Array(0);

/** What the exchanges of all requests with this head have in common. */
export function toHttpRequestHead({ method, path, scheme, authority, fields }: RequestHead): HttpRequestHead {
  const known = scheme === "https" ? "https" : "http";
  return { method, path, scheme: known, authority, fields, version: "2", memo: undefined };
}

/** A request and its response over HTTP/2, for protocols other than gRPC. */
export class Http2Exchange implements HttpExchange, StreamListener {
  readonly head: HttpRequestHead;
  /** The engine counts streams. */
  readonly countsCalls = true;
  listener: HttpExchangeListener | undefined = undefined;
  readonly #stream: Http2Stream;
  #onAdmitted: (() => void) | undefined = undefined;
  #isRequestComplete = false;
  #isEnded = false;

  constructor(stream: Http2Stream, head: HttpRequestHead) {
    this.#stream = stream;
    this.head = head;
  }

  get peerAddress(): string | undefined {
    return this.#stream.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.#stream.peerTls;
  }

  /** What comes too slowly is the engine's matter. */
  allowSlowBody(): void {}

  consume(bytes: number): void {
    this.#stream.consume(bytes);
  }

  lend(bytes: number): void {
    this.#stream.lend(bytes);
  }

  messageComplete(): void {
    this.#stream.messageComplete();
  }

  repay(bytes?: number): void {
    this.#stream.repay(bytes);
  }

  admit(expectedBytes: number, onAdmitted: () => void): boolean {
    this.#onAdmitted = onAdmitted;
    return this.#stream.admit(expectedBytes);
  }

  handlerBegan(): void {
    this.#stream.hold();
  }

  handlerEnded(): void {
    this.#stream.release();
  }

  sendHead(status: number, fields: readonly string[]): void {
    if (this.#isGone) return;
    const all = [":status", String(status), ...fields];
    // Larger, it would cost the connection, and other requests with it.
    if (headerListBytes(all) > this.#stream.peerMaxHeaderListBytes) this.reset();
    else this.#stream.sendHeaders(all);
  }

  sendPreparedHead({ http2 }: PreparedHead, added: readonly string[]): void {
    if (this.#isGone) return;
    const stream = this.#stream;
    if (http2.listBytes + headerListBytes(added) > stream.peerMaxHeaderListBytes) this.reset();
    else stream.sendHeaders(http2, false, added);
  }

  sendData(bytes: Uint8Array): boolean {
    return this.#isGone || this.#stream.sendData(bytes);
  }

  sendMessage(payload: Payload): boolean {
    return this.#isGone || sendMessage(this.#stream, payload, false);
  }

  end(last: Uint8Array = noBytes): void {
    if (this.#isGone) return;
    this.#isEnded = true;
    this.#sendLast(last);
    if (this.#isRequestComplete) return;
    // A request that ends with this frame is over only after this has returned, and then the stream need not be reset.
    queueMicrotask(() => {
      if (!this.#stream.isClosed) this.#stream.resetWhenSent(ErrorCode.noError);
    });
  }

  /** Straight into the connection's output, where there is room. */
  #sendLast(last: Uint8Array): void {
    const stream = this.#stream;
    const { length } = last;
    const offset = length === 0 ? -1 : stream.reserveData(length);
    if (offset === -1) {
      stream.sendData(last, true);
      return;
    }
    stream.outputBytes.set(last, offset);
    stream.commitData(offset, length, true);
  }

  reset(): void {
    if (this.#isGone) return;
    this.#isEnded = true;
    this.#stream.reset(ErrorCode.internalError);
  }

  get #isGone(): boolean {
    return this.#isEnded || this.#stream.isClosed;
  }

  // ---- StreamListener

  onHead(): void {}

  onData(bytes: Uint8Array, start: number, end: number): void {
    if (this.#isEnded) this.#stream.consume(end - start);
    else this.listener?.onData(bytes.subarray(start, end));
  }

  onTrailers(): void {}

  onEnd(): void {
    this.#isRequestComplete = true;
    if (!this.#isEnded) this.listener?.onEnd();
  }

  onReset(error: Http2Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.listener?.onClose(error.scope === "connection" ? error.reason : "the call was cancelled");
  }

  onWritable(): void {
    if (!this.#isEnded) this.listener?.onWritable();
  }

  onAdmitted(): void {
    this.#onAdmitted?.();
  }

  isResetExpected(): boolean {
    return this.#isEnded;
  }
}
