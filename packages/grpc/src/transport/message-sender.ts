import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { compressionForMessage } from "../call/compress-messages.ts";
import type { MessageCodec } from "../call/message-codec.ts";
import type { Compression } from "../protocol/compression.ts";
import { Payload } from "../protocol/payload.ts";

/** A call that messages are sent for, or whoever keeps them for it. */
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

const departing = new Payload();

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
    const bytes = codec.encode(message);
    if (bytes.length > maxMessageBytes) throw tooLargeToSend(bytes.length, maxMessageBytes);
    const compression = compressionForMessage(agreed, bytes.length, compressMinBytes, call.sendValues);
    if (compression === undefined) return put(call, departing.whole(bytes, false, codec.ownsEncoded), isLast);
    const compressed = compression.compress(bytes);
    if (!(compressed instanceof Promise)) return this.#putSmaller(bytes, compressed, call, isLast);
    return compressed.then((smaller) => this.#putSmaller(bytes, smaller, call, isLast));
  }

  /** What does not shrink grows a little, which costs the peer work and can take a message over its limit. */
  #putSmaller<Sent>(plain: Uint8Array, compressed: Uint8Array, call: SendingCall<Sent>, isLast: boolean): Sent {
    const { codec } = this.#settings;
    const isSmaller = compressed.length < plain.length;
    const payload = isSmaller
      ? departing.whole(compressed, true, true)
      : departing.whole(plain, false, codec.ownsEncoded);
    return put(call, payload, isLast);
  }
}

function put<Sent>(call: SendingCall<Sent>, payload: Payload, isLast: boolean): Sent {
  const sent = call.put(payload, isLast);
  // It may be large.
  payload.clear();
  return sent;
}

/** Neither side sends what it was told not to; the message names both numbers. */
function tooLargeToSend(bytes: number, limit: number): ConnectError {
  return new ConnectError(
    `a message of ${bytes} bytes is over the limit of ${limit} for sending`,
    Code.ResourceExhausted,
  );
}
