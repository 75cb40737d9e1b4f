import type { GatewayHost, HttpExchange, HttpExchangeListener } from "@tercel/grpc/protocols";
import type { GatewayCall } from "../../calls/gateway-call.ts";
import { bodyTooLarge } from "../../calls/requests/body-collector.ts";
import { GrowingBytes } from "../../calls/requests/growing-bytes.ts";
import { JsonMessages, jsonMessageOverhead } from "../../calls/requests/json-messages.ts";

const lineFeed = 0x0a;

/** The requests of a client stream over REST: a line of JSON each. */
export class LineRequests implements HttpExchangeListener {
  readonly #call: GatewayCall;
  readonly #exchange: HttpExchange;
  readonly #messages: JsonMessages;
  readonly #maxLineBytes: number;
  /** Of a line whose end has not come. */
  readonly #line = new GrowingBytes();

  constructor(
    call: GatewayCall,
    parts: { readonly host: GatewayHost; readonly exchange: HttpExchange; readonly maxLineBytes: number },
    decode: (line: Uint8Array) => object,
  ) {
    const { host, exchange } = parts;
    this.#call = call;
    this.#exchange = exchange;
    this.#maxLineBytes = parts.maxLineBytes;
    this.#messages = new JsonMessages(call, { host, flow: exchange }, decode);
  }

  start(): void {
    this.#exchange.allowSlowBody();
    this.#messages.start();
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
    if (this.#call.isOver) this.#line.clear();
    else if (start < bytes.length) this.#keep(bytes.subarray(start));
  }

  onEnd(): void {
    if (this.#call.isOver) return;
    if (this.#line.length > 0) this.#onLine(new Uint8Array(0));
    this.#messages.end();
  }

  onClose(reason: string): void {
    this.#line.clear();
    this.#call.onClose(reason);
  }

  onWritable(): void {
    this.#call.onWritable();
  }

  #onLine(rest: Uint8Array): void {
    const keptBytes = this.#line.length;
    this.#line.append(rest);
    const line = this.#line.take();
    const isBlank = line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
    if (isBlank || line.length > this.#maxLineBytes) {
      this.#exchange.consume(rest.length);
      if (!isBlank) this.#call.fail(bodyTooLarge(this.#maxLineBytes));
      return;
    }
    // From here on the queue gives back what the line takes.
    this.#exchange.consume(-(keptBytes + jsonMessageOverhead));
    this.#messages.push(line);
  }

  #keep(part: Uint8Array): void {
    this.#line.append(part);
    if (this.#line.length <= this.#maxLineBytes) return;
    this.#line.clear();
    this.#call.fail(bodyTooLarge(this.#maxLineBytes));
  }
}
