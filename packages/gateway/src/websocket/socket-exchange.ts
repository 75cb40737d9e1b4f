import type { ClientTls } from "@tercel/grpc";
import type { HttpRequestHead } from "@tercel/grpc/protocols";
import type { CallExchange } from "../calls/call-view.ts";
import type { RequestFlow } from "../calls/requests/enveloped-requests.ts";
import type { MessageSocket } from "./message-socket.ts";

/** Bytes of unhandled messages from which on the socket is paused. */
const maxUnusedBytes = 64 * 1024;

/** Head and peer of a WebSocket handshake. */
export interface SocketRequest {
  readonly head: HttpRequestHead;
  readonly peerAddress: string | undefined;
  readonly peerTls: ClientTls | undefined;
}

/** The exchange of a WebSocket's one call. Pauses reading while the handler is slower than the client. */
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

  /** Counts received bytes, which the call returns with `consume`. */
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

  /** A message may be larger than the read limit: memory is bounded by the message limit. */
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
