import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import { withHttpStatus } from "../rules/http-status.ts";

/** The call that a body is collected for. */
export interface CollectingCall {
  readonly isOver: boolean;
  fail(reason: unknown): void;
  onWritable(): void;
  onClose(reason: string): void;
}

/** Collects the whole body of a request, up to a limit, and hands it on. */
export class BodyCollector implements HttpExchangeListener {
  readonly #exchange: HttpExchange;
  readonly #call: CollectingCall;
  readonly #maxBytes: number;
  readonly #onBody: (body: Uint8Array) => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(exchange: HttpExchange, call: CollectingCall, maxBytes: number, onBody: (body: Uint8Array) => void) {
    this.#exchange = exchange;
    this.#call = call;
    this.#maxBytes = maxBytes;
    this.#onBody = onBody;
  }

  onData(bytes: Uint8Array): void {
    if (this.#call.isOver) {
      this.#exchange.consume(bytes.length);
      return;
    }
    this.#exchange.lend(bytes.length);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      this.#chunks = [];
      this.#call.fail(bodyTooLarge(this.#maxBytes));
      return;
    }
    // Of a Buffer, slice would be a view of memory that is used again.
    this.#chunks.push(new Uint8Array(bytes));
  }

  onEnd(): void {
    if (this.#call.isOver) return;
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Uint8Array) : concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#exchange.repay();
    this.#onBody(body);
  }

  onClose(reason: string): void {
    this.#chunks = [];
    this.#call.onClose(reason);
  }

  onWritable(): void {
    this.#call.onWritable();
  }
}

export function bodyTooLarge(maxBytes: number): ConnectError {
  return withHttpStatus(
    new ConnectError(`the body exceeds the limit of ${maxBytes} bytes`, Code.ResourceExhausted),
    413,
  );
}

function concat(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
