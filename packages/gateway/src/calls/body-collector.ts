import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import { withHttpStatus } from "../rules/http-status.ts";
import { GrowingBytes } from "./growing-bytes.ts";

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
  readonly #body = new GrowingBytes();

  constructor(exchange: HttpExchange, call: CollectingCall, maxBytes: number, onBody: (body: Uint8Array) => void) {
    this.#exchange = exchange;
    this.#call = call;
    this.#maxBytes = maxBytes;
    this.#onBody = onBody;
  }

  onData(bytes: Uint8Array): void {
    if (this.#call.isOver) {
      this.#body.clear();
      this.#exchange.consume(bytes.length);
      return;
    }
    this.#exchange.lend(bytes.length);
    if (this.#body.length + bytes.length > this.#maxBytes) {
      this.#body.clear();
      this.#call.fail(bodyTooLarge(this.#maxBytes));
      return;
    }
    this.#body.append(bytes);
  }

  onEnd(): void {
    if (this.#call.isOver) return;
    const body = this.#body.take();
    this.#exchange.repay();
    this.#onBody(body);
  }

  onClose(reason: string): void {
    this.#body.clear();
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
