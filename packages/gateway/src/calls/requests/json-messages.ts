import {
  type GatewayHost,
  type HttpExchange,
  MessageQueue,
  type MessageSource,
  messagePrefixBytes,
  Payload,
} from "@tercel/grpc/protocols";
import type { GatewayCall } from "../gateway-call.ts";

/** The size of each message in addition to its JSON: the queue counts the prefix that it would have in gRPC. */
export const jsonMessageOverhead: number = messagePrefixBytes;

/** The requests of a stream, each as the JSON of one message. They wait in a queue until the handler reads them. */
export class JsonMessages implements MessageSource<object> {
  readonly #call: GatewayCall;
  readonly #flow: Pick<HttpExchange, "consume">;
  readonly #queue: MessageQueue<object>;
  readonly #decode: (json: Uint8Array) => object;

  /**
   * @param flow receives the bytes of each message, plus `jsonMessageOverhead`, when they are consumed
   * @param decode decodes the JSON of a message; its errors end the call
   */
  constructor(
    call: GatewayCall,
    { host, flow }: { readonly host: GatewayHost; readonly flow: Pick<HttpExchange, "consume"> },
    decode: (json: Uint8Array) => object,
  ) {
    this.#call = call;
    this.#flow = flow;
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

  /** Adds a message. The queue keeps the bytes. */
  push(json: Uint8Array): void {
    this.#call.received(json.length, false);
    this.#queue.received(json.length + jsonMessageOverhead);
    this.#queue.push(new Payload().whole(json, false, true));
    this.#queue.settle();
  }

  /** Ends the requests. */
  end(): void {
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
    this.#flow.consume(bytes);
  }

  /** Counts lent bytes as consumed, because a message may be larger than the read-ahead. The message limit bounds the memory. */
  lend(bytes: number): void {
    this.#flow.consume(bytes);
  }

  messageComplete(): void {}

  repay(): void {}

  usedUp(): void {}

  takesNoMore(): void {}
}
