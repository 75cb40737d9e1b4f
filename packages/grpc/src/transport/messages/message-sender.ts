import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { compressionForMessage } from "../../call/messages/compress-messages.ts";
import type { MessageCodec } from "../../call/messages/message-codec.ts";
import type { Compression } from "../../protocol/compression.ts";
import { Payload } from "../../protocol/payload.ts";

/** A call that messages are sent for, or a buffer that keeps them for it. */
export interface SendingCall<Sent> {
  /** Asked about each message whether to compress it. */
  readonly sendValues: ContextValues | undefined;
  /** Takes a message as it will travel. The payload is used again once this returns. */
  put(payload: Payload, isLast: boolean): Sent;
}

/** How messages are sent that have the same method and the same agreed compression. */
export interface SendSettings {
  readonly codec: MessageCodec;
  readonly compression: Compression | undefined;
  readonly compressMinBytes: number;
  readonly maxMessageBytes: number;
}

/** Used by one message after the other. */
let spare: Payload | undefined = new Payload();

/** Makes of messages what travels: encoded, held to the limit, and compressed where that pays. Shared by all calls with the same settings. */
export class MessageSender {
  readonly #settings: SendSettings;

  constructor(settings: SendSettings) {
    this.#settings = settings;
  }

  /**
   * Encodes the message and puts it into the call, at once or when it is compressed.
   *
   * @throws ConnectError when it cannot be encoded or is over the limit
   */
  send<Sent>(message: object, call: SendingCall<Sent>, isLast: boolean): Sent | Promise<Sent> {
    const { codec, compression: agreed, compressMinBytes, maxMessageBytes } = this.#settings;
    const payload = takeSpare();
    try {
      if (codec.lend?.(message, payload) !== true) payload.whole(codec.encode(message), false, codec.ownsEncoded);
      const { length } = payload;
      if (length > maxMessageBytes) throw tooLargeToSend(length, maxMessageBytes);
      const compression = compressionForMessage(agreed, length, compressMinBytes, call.sendValues);
      if (compression === undefined) return call.put(payload, isLast);
      return this.#compress(compression, payload.content, call, isLast);
    } finally {
      keepSpare(payload);
    }
  }

  #compress<Sent>(
    compression: Compression,
    plain: Uint8Array,
    call: SendingCall<Sent>,
    isLast: boolean,
  ): Sent | Promise<Sent> {
    const compressed = compression.compress(plain);
    if (!(compressed instanceof Promise)) return this.#putSmaller(plain, compressed, call, isLast);
    return compressed.then((smaller) => this.#putSmaller(plain, smaller, call, isLast));
  }

  /** What does not shrink grows a little, which costs the peer work and can take a message over its limit. */
  #putSmaller<Sent>(plain: Uint8Array, compressed: Uint8Array, call: SendingCall<Sent>, isLast: boolean): Sent {
    const payload = takeSpare();
    try {
      if (compressed.length < plain.length) payload.whole(compressed, true, true);
      else payload.whole(plain, false, this.#settings.codec.ownsEncoded);
      return call.put(payload, isLast);
    } finally {
      keepSpare(payload);
    }
  }
}

/** An observer of a message may send another one before the first has left: that needs a payload of its own. */
function takeSpare(): Payload {
  const payload = spare ?? new Payload();
  spare = undefined;
  return payload;
}

/** The payload has left. Cleared, because it may be large. */
function keepSpare(payload: Payload): void {
  payload.clear();
  spare = payload;
}

/** Neither side sends a message over its limit; the error names both numbers. */
function tooLargeToSend(bytes: number, limit: number): ConnectError {
  return new ConnectError(
    `a message of ${bytes} bytes is over the limit of ${limit} for sending`,
    Code.ResourceExhausted,
  );
}
