import type { Message } from "@bufbuild/protobuf";
import {
  type GatewayHost,
  MessageQueue,
  type MessageSource,
  messagePrefixBytes,
  Payload,
} from "@tercel/grpc/protocols";
import type { GatewayCall } from "../calls/gateway-call.ts";
import type { SocketExchange } from "./socket-exchange.ts";

/** The requests of a stream as text messages. */
export class JsonRequests implements MessageSource<object> {
  readonly #call: GatewayCall;
  readonly #exchange: SocketExchange;
  readonly #queue: MessageQueue<object>;
  readonly #decode: (text: Uint8Array) => Message;

  constructor(host: GatewayHost, call: GatewayCall, exchange: SocketExchange, decode: (text: Uint8Array) => Message) {
    this.#call = call;
    this.#exchange = exchange;
    this.#decode = decode;
    this.#queue = new MessageQueue<object>(this, host.receiveShare);
    call.onRequestUnneeded = (error) => {
      if (error === undefined) this.#queue.end();
      else this.#queue.cutOff(error);
    };
  }

  start(): void {
    this.#call.run(this.#queue);
  }

  onMessage(text: Uint8Array): void {
    this.#call.received(text.length, false);
    // The queue counts the prefix that each message would have in gRPC.
    const bytes = text.length + messagePrefixBytes;
    this.#exchange.received(bytes);
    this.#queue.received(bytes);
    this.#queue.push(new Payload().whole(text, false, true));
    this.#queue.settle();
  }

  onEnd(): void {
    this.#queue.end();
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
    this.#exchange.lend(bytes);
  }

  messageComplete(): void {}

  repay(): void {}

  usedUp(): void {}

  takesNoMore(): void {}
}
