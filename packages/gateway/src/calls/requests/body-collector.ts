import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import { withHttpStatus } from "../../rules/http-status.ts";
import { findHeader } from "../read-fields.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** The call of a body. */
export interface CollectingCall {
  readonly isOver: boolean;
  fail(reason: unknown): void;
  onWritable(): void;
  onClose(reason: string): void;
}

/** Decodes the body of a request. */
export interface BodyReader {
  /** Receives the whole body. If it is not owned, its memory is only valid during this call, and the request may not have ended yet. */
  read(body: Uint8Array, isOwned: boolean): void;
  /** Called after `read`, when the request has ended. */
  run(): void;
}

/** The expected size of a body. */
export interface ExpectedBody {
  readonly maxBytes: number;
  /** The `content-length`; -1 if it is unknown. */
  readonly announcedBytes: number;
}

/** Passes the whole body of a request to a reader, up to a limit: without a copy if it arrives in one chunk, otherwise collected. */
export class BodyCollector implements HttpExchangeListener {
  readonly #exchange: HttpExchange;
  readonly #call: CollectingCall;
  readonly #expected: ExpectedBody;
  readonly #reader: BodyReader;
  /** Undefined before the first part. */
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

/** Returns the `content-length` of a request; -1 without a valid one. */
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
