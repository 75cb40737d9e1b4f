import {
  type GatewayHost,
  type HttpExchange,
  MessageQueue,
  type MessageSource,
  messagePrefixBytes,
  Payload,
} from "@tercel/grpc/protocols";
import type { GatewayCall } from "../gateway-call.ts";

/** What each message takes besides its JSON: the queue counts the prefix that it would have in gRPC. */
export const jsonMessageOverhead: number = messagePrefixBytes;

/** The requests of a stream that come as the JSON of one message each. They wait in a queue until the handler takes them. */
export class JsonMessages implements MessageSource<object> {
  readonly #call: GatewayCall;
  readonly #flow: Pick<HttpExchange, "consume">;
  readonly #queue: MessageQueue<object>;
  readonly #decode: (json: Uint8Array) => object;

  /**
   * @param flow is told of each message's bytes when they are used up, with `jsonMessageOverhead`
   * @param decode makes a message of its JSON; what it throws ends the call
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

  /** A message has come. The bytes are the queue's to keep. */
  push(json: Uint8Array): void {
    this.#call.received(json.length, false);
    this.#queue.received(json.length + jsonMessageOverhead);
    this.#queue.push(new Payload().whole(json, false, true));
    this.#queue.settle();
  }

  /** No more come. */
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

  /** A message may be larger than what is read ahead: its own limit bounds what is kept. */
  lend(bytes: number): void {
    this.#flow.consume(bytes);
  }

  messageComplete(): void {}

  repay(): void {}

  usedUp(): void {}

  takesNoMore(): void {}
}
