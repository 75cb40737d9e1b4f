import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { Codec } from "../codec/index.ts";
import { describeValue } from "../options/describe-value.ts";
import { toMessage } from "./message-init.ts";

/**
 * The messages of one direction of a method: what the application has, and the bytes that travel. A method is a path, a kind and two of these;
 * the calls themselves know nothing else of messages.
 */
export interface MessageCodec<T extends object = object> {
  /** Returns the message that the application means. Throws when it is none. */
  toMessage(init: unknown): T;
  /** Throws a ConnectError when the message does not fit. */
  encode(message: T): Uint8Array;
  /** Throws a ConnectError when `bytes` is not such a message. */
  decode(bytes: Uint8Array): T;
  /** Whether a decoded message may hold views of its bytes, so that their memory must not be used again. */
  retainsInput(): boolean;
  /** Whether bytes that were encoded may be freed once they have been sent. False for those that belong to the application. */
  readonly ownsEncoded: boolean;
}

/** Messages of a schema, in protobuf or JSON. */
export class SchemaCodec implements MessageCodec<Message> {
  readonly ownsEncoded = true;
  readonly #codec: Codec;
  readonly #schema: DescMessage;
  /** Undefined until it is asked for: a method that is never called has its schema searched for nothing. */
  #retainsInput: boolean | undefined = undefined;

  constructor(codec: Codec, schema: DescMessage) {
    this.#codec = codec;
    this.#schema = schema;
  }

  toMessage(init: unknown): Message {
    return toMessage(this.#schema, init as MessageInitShape<DescMessage>);
  }

  encode(message: Message): Uint8Array {
    return this.#codec.encode(this.#schema, message);
  }

  decode(bytes: Uint8Array): Message {
    return this.#codec.decode(this.#schema, bytes);
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
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
  retainsInput: () => true,
};
