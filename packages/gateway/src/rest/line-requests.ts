import {
  type GatewayHost,
  type HttpExchange,
  type HttpExchangeListener,
  MessageQueue,
  type MessageSource,
  messagePrefixBytes,
  Payload,
} from "@tercel/grpc/protocols";
import { bodyTooLarge } from "../calls/body-collector.ts";
import type { GatewayCall } from "../calls/gateway-call.ts";

const lineFeed = 0x0a;

/** The requests of a client stream over REST: a line of JSON each. */
export class LineRequests implements HttpExchangeListener, MessageSource<object> {
  readonly #call: GatewayCall;
  readonly #exchange: HttpExchange;
  readonly #queue: MessageQueue<object>;
  readonly #maxLineBytes: number;
  readonly #decode: (line: Uint8Array) => object;
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  constructor(
    call: GatewayCall,
    parts: { readonly host: GatewayHost; readonly exchange: HttpExchange; readonly maxLineBytes: number },
    decode: (line: Uint8Array) => object,
  ) {
    this.#call = call;
    this.#exchange = parts.exchange;
    this.#maxLineBytes = parts.maxLineBytes;
    this.#decode = decode;
    this.#queue = new MessageQueue<object>(this, parts.host.receiveShare);
    call.onRequestUnneeded = (error) => {
      this.#parts = [];
      if (error === undefined) this.#queue.end();
      else this.#queue.cutOff(error);
    };
  }

  start(): void {
    this.#exchange.allowSlowBody();
    this.#call.run(this.#queue);
  }

  onData(bytes: Uint8Array): void {
    let start = 0;
    while (!this.#call.isOver) {
      const end = bytes.indexOf(lineFeed, start);
      if (end === -1) break;
      this.#exchange.consume(1);
      this.#onLine(bytes.subarray(start, end));
      start = end + 1;
    }
    // A line may be longer than what is read ahead: its parts count as used up until it is complete.
    this.#exchange.consume(bytes.length - start);
    if (!this.#call.isOver && start < bytes.length) this.#keep(new Uint8Array(bytes.subarray(start)));
  }

  onEnd(): void {
    if (this.#call.isOver) return;
    if (this.#partBytes > 0) this.#onLine(new Uint8Array(0));
    this.#queue.end();
  }

  onClose(reason: string): void {
    this.#call.onClose(reason);
  }

  onWritable(): void {
    this.#call.onWritable();
  }

  #onLine(rest: Uint8Array): void {
    const line = Buffer.concat([...this.#parts, rest]);
    const keptBytes = this.#partBytes;
    this.#parts = [];
    this.#partBytes = 0;
    const isBlank = line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
    if (isBlank || line.length > this.#maxLineBytes) {
      this.#exchange.consume(rest.length);
      if (!isBlank) this.#call.fail(bodyTooLarge(this.#maxLineBytes));
      return;
    }
    this.#call.received(line.length, false);
    // From here on the queue gives back what the line takes, and the prefix that it would have in gRPC.
    this.#exchange.consume(-(keptBytes + messagePrefixBytes));
    this.#queue.received(line.length + messagePrefixBytes);
    this.#queue.push(new Payload().whole(line, false, true));
    this.#queue.settle();
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (this.#partBytes <= this.#maxLineBytes) return;
    this.#parts = [];
    this.#call.fail(bodyTooLarge(this.#maxLineBytes));
  }

  // ---- MessageSource

  makeMessage({ content }: Payload): object {
    try {
      return this.#decode(content);
    } catch (error) {
      this.#call.fail(error);
      throw error;
    }
  }

  consume(bytes: number): void {
    this.#exchange.consume(bytes);
  }

  lend(bytes: number): void {
    this.#exchange.consume(bytes);
  }

  messageComplete(): void {}

  repay(): void {}

  usedUp(): void {}

  takesNoMore(): void {}
}
