import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import { type Codec, maxInPlaceBytes } from "../../codec/codec.ts";
import { describeValue } from "../../options/describe-value.ts";
import type { Payload } from "../../protocol/payload.ts";
import { toMessage } from "./message-init.ts";

/**
 * The messages of one direction of a method: what the application has, and the bytes that travel. A method is a path, a kind and two of these;
 * the calls themselves know nothing else of messages.
 */
export interface MessageCodec<T extends object = object> {
  /** Returns the message that the application means. Throws when it is none. */
  toMessage(init: unknown): T;
  /**
   * What `encode` and `lend` take for it: the message, or `init` itself where the codec writes that without making one. Only for what is sent at
   * once, because the application may change it later. Throws as `toMessage` does. Not there: `toMessage` is the way.
   */
  toSendable?(init: unknown): object;
  /** Throws a ConnectError when the message does not fit. */
  encode(message: object): Uint8Array;
  /** See `Codec.lend`. */
  lend?(message: object, payload: Payload): boolean;
  /** Throws a ConnectError when `bytes` is not such a message. */
  decode(bytes: Uint8Array): T;
  /** See `Codec.decodeInPlace`. */
  decodeInPlace?(payload: Payload): T | undefined;
  /** Whether a decoded message may hold views of its bytes, so that their memory must not be used again. */
  retainsInput(): boolean;
  /** Whether bytes that were encoded may be freed once they have been sent. False for those that belong to the application. */
  readonly ownsEncoded: boolean;
}

/** A peer that knows more fields than we do sends them with every message: decoding these in place would be tried in vain. */
const copiesAfterOne = 100;

/** Messages of a schema, in protobuf or JSON. */
export class SchemaCodec implements MessageCodec<Message> {
  readonly ownsEncoded = true;
  readonly #codec: Codec;
  readonly #schema: DescMessage;
  /** Undefined until it is first read, so that the schema of a method that is never called is not searched. */
  #retainsInput: boolean | undefined = undefined;
  /** So many messages are copied without asking whether they have to be. */
  #copiesLeft = 0;

  constructor(codec: Codec, schema: DescMessage) {
    this.#codec = codec;
    this.#schema = schema;
  }

  toMessage(init: unknown): Message {
    return toMessage(this.#schema, init as MessageInitShape<DescMessage>);
  }

  toSendable(init: unknown): object {
    if (this.#codec.encodesInit !== true || typeof init !== "object" || init === null) return this.toMessage(init);
    const { $typeName } = init as Partial<Message>;
    return $typeName === undefined || $typeName === this.#schema.typeName ? init : this.toMessage(init);
  }

  encode(message: object): Uint8Array {
    return this.#codec.encode(this.#schema, message as Message);
  }

  lend(message: object, payload: Payload): boolean {
    return this.#codec.lend?.(this.#schema, message as Message, payload) === true;
  }

  decode(bytes: Uint8Array): Message {
    return this.#codec.decode(this.#schema, bytes);
  }

  decodeInPlace(payload: Payload): Message | undefined {
    if (payload.length > maxInPlaceBytes) return undefined;
    if (this.#copiesLeft > 0) {
      this.#copiesLeft--;
      return undefined;
    }
    const message = this.#codec.decodeInPlace?.(this.#schema, payload);
    if (message === undefined) this.#copiesLeft = copiesAfterOne;
    return message;
  }

  retainsInput(): boolean {
    this.#retainsInput ??= this.#codec.retainsInput(this.#schema);
    return this.#retainsInput;
  }
}

/** Messages as they travel. What the application sends stays its own. */
export const rawMessages: MessageCodec<Uint8Array> = {
  ownsEncoded: false,
  toMessage(init) {
    if (init instanceof Uint8Array) return init;
    throw new TypeError(`a raw message is ${describeValue(init)}; it has to be a Uint8Array`);
  },
  encode: (bytes) => bytes as Uint8Array,
  decode: (bytes) => bytes,
  retainsInput: () => true,
};
