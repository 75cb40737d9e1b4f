import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Compression,
  decodeReceived,
  type GatewayHost,
  type HttpExchange,
  type HttpExchangeListener,
  isOneMessage,
  type MessageCodec,
  MessageQueue,
  MessageReader,
  type MessageSink,
  type MessageSource,
  type MethodHandler,
  messagePrefixBytes,
  Payload,
  type ReceivingCall,
} from "@tercel/grpc/protocols";
import type { GatewayCall } from "../gateway-call.ts";

/** The flow control of a request: which bytes are consumed, and which are kept. */
export type RequestFlow = Pick<HttpExchange, "allowSlowBody" | "consume" | "lend" | "messageComplete" | "repay">;

/** How to read the messages of a request. */
export interface EnvelopeReading {
  readonly host: GatewayHost;
  readonly handler: MethodHandler;
  readonly codec: MessageCodec;
  readonly compression: Compression | undefined;
}

/** Reused for messages that arrive in one chunk, which is the usual case. */
const arriving = new Payload();

/** The requests of a call whose body is a sequence of messages, each with a prefix of five bytes: Connect streams and gRPC-Web. */
export class EnvelopedRequests implements HttpExchangeListener, MessageSink, MessageSource<object>, ReceivingCall {
  readonly #call: GatewayCall;
  readonly #exchange: RequestFlow;
  readonly #reading: EnvelopeReading;
  /** Undefined while each message has arrived in one chunk. */
  #reader: MessageReader | undefined = undefined;
  readonly #queue: MessageQueue<object> | undefined;
  /** The request of a method that takes one message. */
  #request: object | undefined = undefined;
  #isEnded = false;

  constructor(call: GatewayCall, exchange: RequestFlow, reading: EnvelopeReading) {
    const { handler, host } = reading;
    this.#call = call;
    this.#exchange = exchange;
    this.#reading = reading;
    this.#queue = handler.requestIsStream ? new MessageQueue<object>(this, host.receiveShare) : undefined;
    call.onRequestUnneeded = (error) => {
      this.#reader?.halt();
      if (error === undefined) this.#queue?.end();
      else this.#queue?.cutOff(error);
    };
  }

  /** Must be called after the call has begun. */
  start(): void {
    if (this.#queue === undefined) return;
    this.#exchange.allowSlowBody();
    this.#call.run(this.#queue);
  }

  onData(bytes: Uint8Array): void {
    if (this.#call.isOver) {
      this.consume(bytes.length);
      return;
    }
    const queue = this.#queue;
    queue?.received(bytes.length);
    if (this.#reader === undefined && isOneMessage(bytes, 0, bytes.length, this.maxReceiveMessageBytes)) {
      if (queue === undefined) this.consume(bytes.length);
      this.onMessage(arriving.borrow(bytes, messagePrefixBytes, bytes.length, false));
    } else {
      this.#reader ??= new MessageReader(this, this.maxReceiveMessageBytes);
      const error = this.#reader.push(bytes, 0, bytes.length);
      if (queue === undefined) this.lend(bytes.length);
      if (error !== undefined) this.#call.fail(error);
    }
    queue?.settle();
  }

  onMessage(payload: Payload): void {
    if (this.#call.isOver) return;
    this.#call.received(payload.length, payload.compressed);
    if (this.#queue !== undefined) {
      this.#queue.push(payload);
      return;
    }
    if (this.#request !== undefined) {
      this.#call.fail(new ConnectError("the method takes one message, but more came", Code.Unimplemented));
      return;
    }
    try {
      this.#request = this.makeMessage(payload);
    } catch {
      // `makeMessage` has already ended the call.
    }
  }

  onEnd(): void {
    if (this.#call.isOver || this.#isEnded) return;
    this.#isEnded = true;
    if (this.#queue === undefined) this.repay();
    if (this.#reader?.isBetweenMessages === false) {
      this.#call.fail(new ConnectError("the request ended inside a message", Code.InvalidArgument));
    } else if (this.#queue !== undefined) {
      this.#queue.end();
    } else if (this.#request === undefined) {
      this.#call.fail(new ConnectError("the method takes one message, but none came", Code.Unimplemented));
    } else if (this.#request instanceof Promise) {
      this.#request.then(
        (message: object) => this.#call.run(message),
        () => {},
      );
    } else {
      this.#call.run(this.#request);
    }
  }

  onClose(reason: string): void {
    this.#call.onClose(reason);
  }

  onWritable(): void {
    this.#call.onWritable();
  }

  // ---- ReceivingCall

  get receivedCodec(): MessageCodec {
    return this.#reading.codec;
  }

  get receivedCompression(): Compression | undefined {
    return this.#reading.compression;
  }

  get maxReceiveMessageBytes(): number {
    return this.#reading.handler.maxReceiveMessageBytes;
  }

  get isCutOff(): boolean {
    return this.#call.endedBy !== undefined;
  }

  takeRoom(): undefined {
    return undefined;
  }

  keepRoom(): void {}

  // ---- MessageSource

  makeMessage(payload: Payload): object | Promise<object> {
    try {
      const message = decodeReceived(this, payload);
      if (message instanceof Promise) message.catch((error) => this.#call.fail(error));
      return message;
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

  messageComplete(): void {
    this.#exchange.messageComplete();
  }

  repay(bytes?: number): void {
    this.#exchange.repay(bytes);
  }

  usedUp(): void {}

  takesNoMore(): void {
    this.#reader?.halt();
  }
}
