import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { MessageFormat } from "../protocol/content-type.ts";
import type { Payload } from "../protocol/payload.ts";

/**
 * A longer message is not decoded in place: a view or a copy costs little next to decoding it, and it may have to be counted first, see
 * `minEstimatedBytes`.
 */
export const maxInPlaceBytes = 4095;

/** Turns messages into bytes and back. One codec serves every message type. */
export interface Codec {
  readonly name: MessageFormat;

  /** `encode` and `lend` also take the plain object that a message can be made from. Default: only messages. */
  readonly encodesInit?: true;

  /**
   * The bytes of a message, which no one else will change. They may share an ArrayBuffer with other messages, so look at
   * their `byteOffset` and `length`.
   *
   * @throws ConnectError with code Internal when the message does not fit its schema
   */
  encode(schema: DescMessage, message: Message | MessageInitShape<DescMessage>): Uint8Array;

  /**
   * Puts the bytes of a message into `payload`, in memory that is used again once the payload is cleared. False, or no such method: `encode` is
   * the way.
   *
   * @throws ConnectError as `encode` does
   */
  lend?(schema: DescMessage, message: Message | MessageInitShape<DescMessage>, payload: Payload): boolean;

  /**
   * The message in `bytes`, all of them.
   *
   * @param errorCode code of the error for bytes that are not such a message. Internal by default: gRPC's status code list has
   *   INTERNAL for messages that cannot be parsed, on both sides. A gateway for hand-written JSON may want InvalidArgument.
   * @throws ConnectError
   */
  decode(schema: DescMessage, bytes: Uint8Array, errorCode?: Code): Message;

  /**
   * The message in a part of a buffer, decoded without a copy or a view of all of it. Unless the payload owns its bytes, the message holds none of them.
   * `undefined`, or no such method: call `decode`, with a copy where the bytes are not owned. Never throws: `decode` reports bytes that are not a message.
   */
  decodeInPlace?(schema: DescMessage, payload: Payload): Message | undefined;

  /**
   * Whether a decoded message may hold views of the bytes it was decoded from. Then the caller must not reuse their memory,
   * and should copy them first when they are a small part of a large buffer, which would stay alive as a whole.
   */
  retainsInput(schema: DescMessage): boolean;
}
