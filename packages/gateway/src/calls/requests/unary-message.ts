import {
  type Compression,
  decodeReceived,
  type MessageCodec,
  Payload,
  type ReceivingCall,
} from "@tercel/grpc/protocols";
import type { GatewayCall } from "../gateway-call.ts";
import type { BodyReader } from "./body-collector.ts";

/** How to read a message that is the body of a request. */
export interface UnaryReading {
  readonly codec: MessageCodec;
  readonly compression: Compression | undefined;
  readonly maxBytes: number;
}

/** Reused for each body, because only one is read at a time. */
const arriving = new Payload();

/** The request of a call whose body is the message. */
export class UnaryMessage implements BodyReader, ReceivingCall {
  readonly #call: GatewayCall;
  readonly #reading: UnaryReading;
  #message: object | undefined = undefined;

  constructor(call: GatewayCall, reading: UnaryReading) {
    this.#call = call;
    this.#reading = reading;
  }

  read(body: Uint8Array, isOwned: boolean): void {
    const { compression } = this.#reading;
    this.#call.received(body.length, compression !== undefined);
    const isCompressed = compression !== undefined && body.length > 0;
    try {
      if (isOwned) arriving.whole(body, isCompressed, true);
      else arriving.borrow(body, 0, body.length, isCompressed);
      this.#message = decodeReceived(this, arriving);
    } catch (error) {
      this.#call.fail(error);
    } finally {
      arriving.clear();
    }
  }

  run(): void {
    const call = this.#call;
    if (this.#message instanceof Promise) {
      this.#message.then(
        (message: object) => call.run(message),
        (error) => call.fail(error),
      );
    } else call.run(this.#message as object);
  }

  // ---- ReceivingCall

  get receivedCodec(): MessageCodec {
    return this.#reading.codec;
  }

  get receivedCompression(): Compression | undefined {
    return this.#reading.compression;
  }

  get maxReceiveMessageBytes(): number {
    return this.#reading.maxBytes;
  }

  get isCutOff(): boolean {
    return this.#call.endedBy !== undefined;
  }

  /** Nothing to wait for, because the body is in memory as a whole. */
  takeRoom(): undefined {
    return undefined;
  }

  keepRoom(): void {}
}
