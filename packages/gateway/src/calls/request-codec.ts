import { Code, ConnectError } from "@connectrpc/connect";
import type { MessageCodec } from "@tercel/grpc/protocols";

/** Over gRPC a message that cannot be read is INTERNAL, the fault of a library. Here clients write it by hand: INVALID_ARGUMENT. */
export function asInvalidArgument(codec: MessageCodec): MessageCodec {
  return {
    ...{ ownsEncoded: codec.ownsEncoded },
    toMessage: (init) => codec.toMessage(init),
    encode: (message) => codec.encode(message),
    retainsInput: () => codec.retainsInput(),
    decode(bytes) {
      try {
        return codec.decode(bytes);
      } catch (error) {
        if (!(error instanceof ConnectError) || error.code !== Code.Internal) throw error;
        throw new ConnectError(error.rawMessage, Code.InvalidArgument, undefined, undefined, error.cause);
      }
    },
  };
}

/** A codec whose messages become other bytes: of a response whose body is not the message as it is. */
export function withEncode(codec: MessageCodec, encode: (message: object) => Uint8Array): MessageCodec {
  return new OtherBytesCodec(codec, encode);
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
