import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import { withHttpStatus } from "../../rules/http-status.ts";
import { findHeader } from "../read-fields.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** The call that a body is collected for. */
export interface CollectingCall {
  readonly isOver: boolean;
  fail(reason: unknown): void;
  onWritable(): void;
  onClose(reason: string): void;
}

/** Makes the request of a body. */
export interface BodyReader {
  /** All of the body. Unless it is owned, its memory is only lent until this returns, and the request may not be complete yet. */
  read(body: Uint8Array, isOwned: boolean): void;
  /** The request is complete; after `read`. */
  run(): void;
}

/** How a body may come. */
export interface ExpectedBody {
  readonly maxBytes: number;
  /** -1 where it is not known. */
  readonly announcedBytes: number;
}

/** Hands on the whole body of a request, up to a limit: where it lies when it comes in one piece, and collected otherwise. */
export class BodyCollector implements HttpExchangeListener {
  readonly #exchange: HttpExchange;
  readonly #call: CollectingCall;
  readonly #expected: ExpectedBody;
  readonly #reader: BodyReader;
  /** Undefined until there is a part. */
  #body: GrowingBytes | undefined = undefined;
  #isRead = false;

  constructor(exchange: HttpExchange, call: CollectingCall, expected: ExpectedBody, reader: BodyReader) {
    this.#exchange = exchange;
    this.#call = call;
    this.#expected = expected;
    this.#reader = reader;
  }

  onData(bytes: Uint8Array): void {
    const { maxBytes, announcedBytes } = this.#expected;
    if (this.#call.isOver || this.#isRead) {
      this.#body?.clear();
      this.#exchange.consume(bytes.length);
      return;
    }
    if (bytes.length === announcedBytes && bytes.length <= maxBytes) {
      this.#isRead = true;
      this.#exchange.consume(bytes.length);
      this.#reader.read(bytes, false);
      return;
    }
    this.#exchange.lend(bytes.length);
    this.#body ??= new GrowingBytes();
    if (Math.max(this.#body.length + bytes.length, announcedBytes) > maxBytes) {
      this.#body.clear();
      this.#call.fail(bodyTooLarge(maxBytes));
      return;
    }
    this.#body.append(bytes);
  }

  onEnd(): void {
    if (this.#call.isOver) return;
    if (!this.#isRead) {
      const body = this.#body?.take() ?? noBytes;
      this.#exchange.repay();
      this.#reader.read(body, true);
      if (this.#call.isOver) return;
    }
    this.#reader.run();
  }

  onClose(reason: string): void {
    this.#body?.clear();
    this.#call.onClose(reason);
  }

  onWritable(): void {
    this.#call.onWritable();
  }
}

const noBytes = new Uint8Array(0);

/** How long a request's head says that its body is; -1 where it does not. */
export function announcedBytes(fields: readonly string[]): number {
  const length = findHeader(fields, "content-length");
  return length === undefined || !/^[0-9]{1,15}$/.test(length) ? -1 : Number(length);
}

export function bodyTooLarge(maxBytes: number): ConnectError {
  return withHttpStatus(
    new ConnectError(`the body exceeds the limit of ${maxBytes} bytes`, Code.ResourceExhausted),
    413,
  );
}
