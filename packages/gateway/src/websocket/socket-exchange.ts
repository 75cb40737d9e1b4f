import type { ClientTls } from "@tercel/grpc";
import type { HttpRequestHead } from "@tercel/grpc/protocols";
import type { CallExchange } from "../calls/call-view.ts";
import type { RequestFlow } from "../calls/requests/enveloped-requests.ts";
import type { MessageSocket } from "./message-socket.ts";

/** Bytes of messages that may wait for the handler before no more are read. */
const maxUnusedBytes = 64 * 1024;

/** What a call needs to know of the request that a WebSocket began with. */
export interface SocketRequest {
  readonly head: HttpRequestHead;
  readonly peerAddress: string | undefined;
  readonly peerTls: ClientTls | undefined;
}

/** The one call of a WebSocket, as its exchange: reads no more than the handler takes. */
export class SocketExchange implements CallExchange, RequestFlow {
  readonly head: HttpRequestHead;
  readonly peerAddress: string | undefined;
  readonly peerTls: ClientTls | undefined;
  readonly countsCalls = false;
  readonly #socket: MessageSocket;
  #unusedBytes = 0;
  #isPaused = false;

  constructor({ head, peerAddress, peerTls }: SocketRequest, socket: MessageSocket) {
    this.head = head;
    this.peerAddress = peerAddress;
    this.peerTls = peerTls;
    this.#socket = socket;
  }

  /** Bytes have come for the call, which says when they are used up. */
  received(bytes: number): void {
    this.#unusedBytes += bytes;
    if (this.#isPaused || this.#unusedBytes < maxUnusedBytes) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  consume(bytes: number): void {
    this.#unusedBytes -= bytes;
    if (!this.#isPaused || this.#unusedBytes >= maxUnusedBytes) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  /** A message may be larger than what is read ahead: its limit bounds what is kept. */
  lend(bytes: number): void {
    this.consume(bytes);
  }

  messageComplete(): void {}

  repay(): void {}

  allowSlowBody(): void {}

  /** A WebSocket has one call. */
  admit(): boolean {
    return true;
  }

  handlerBegan(): void {}

  handlerEnded(): void {}

  reset(): void {
    this.#socket.terminate();
  }
}
