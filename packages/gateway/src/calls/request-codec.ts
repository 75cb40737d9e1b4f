import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type MessageCodec, Payload } from "@tercel/grpc/protocols";

/** Over gRPC a message that cannot be read is INTERNAL, the fault of a library. Here clients write it by hand: INVALID_ARGUMENT. */
export function asInvalidArgument(codec: MessageCodec): MessageCodec {
  return new InvalidArgumentCodec(codec);
}

/** A codec whose messages become other bytes: of a response whose body is not the message as it is. */
export function withEncode(codec: MessageCodec, encode: (message: object) => Uint8Array): MessageCodec {
  return new OtherBytesCodec(codec, encode);
}

/** The same for bytes that are in memory of the caller's own: `lend` puts them into the payload. */
export function withLend(codec: MessageCodec, lend: (message: Message, payload: Payload) => void): MessageCodec {
  return new LentBytesCodec(codec, lend);
}

/** Does as another codec does, but for the code of an error. */
class InvalidArgumentCodec implements MessageCodec {
  readonly #codec: MessageCodec;

  constructor(codec: MessageCodec) {
    this.#codec = codec;
  }

  get ownsEncoded(): boolean {
    return this.#codec.ownsEncoded;
  }

  toMessage(init: unknown): object {
    return this.#codec.toMessage(init);
  }

  encode(message: object): Uint8Array {
    return this.#codec.encode(message);
  }

  decode(bytes: Uint8Array): object {
    try {
      return this.#codec.decode(bytes);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Internal) throw error;
      throw new ConnectError(error.rawMessage, Code.InvalidArgument, undefined, undefined, error.cause);
    }
  }

  decodeInPlace(payload: Payload): object | undefined {
    return this.#codec.decodeInPlace?.(payload);
  }

  retainsInput(): boolean {
    return this.#codec.retainsInput();
  }
}

class LentBytesCodec implements MessageCodec {
  readonly ownsEncoded = false;
  readonly #codec: MessageCodec;
  readonly #lend: (message: Message, payload: Payload) => void;

  constructor(codec: MessageCodec, lend: (message: Message, payload: Payload) => void) {
    this.#codec = codec;
    this.#lend = lend;
  }

  toMessage(init: unknown): object {
    return this.#codec.toMessage(init);
  }

  lend(message: object, payload: Payload): true {
    this.#lend(message as Message, payload);
    return true;
  }

  /** For those that cannot take what is lent. */
  encode(message: object): Uint8Array {
    const payload = new Payload();
    this.#lend(message as Message, payload);
    return new Uint8Array(payload.content);
  }

  decode(bytes: Uint8Array): object {
    return this.#codec.decode(bytes);
  }

  retainsInput(): boolean {
    return this.#codec.retainsInput();
  }
}

class OtherBytesCodec implements MessageCodec {
  readonly ownsEncoded = false;
  readonly encode: (message: object) => Uint8Array;
  readonly #codec: MessageCodec;

  constructor(codec: MessageCodec, encode: (message: object) => Uint8Array) {
    this.#codec = codec;
    this.encode = encode;
  }

  toMessage(init: unknown): object {
    return this.#codec.toMessage(init);
  }

  decode(bytes: Uint8Array): object {
    return this.#codec.decode(bytes);
  }

  retainsInput(): boolean {
    return this.#codec.retainsInput();
  }
}
