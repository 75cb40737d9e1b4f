import type { ConnectError } from "@connectrpc/connect";
import {
  type Compression,
  frameMessage,
  type MessageFormat,
  MessageSender,
  messagePrefixBytes,
  type Payload,
  type PreparedHead,
  writeMessagePrefix,
} from "@tercel/grpc/protocols";
import { toBase64 } from "./base64-bytes.ts";
import type { ServedMethod } from "./call-server.ts";
import type { GatewayCall, ResponseForm } from "./gateway-call.ts";
import { prepareHead, type Responder } from "./responder.ts";
import { headerFields } from "./response-metadata.ts";

/** The differences between the protocols that send messages with a prefix. */
export interface EnvelopeDialect {
  /** The header fields of the response: content type and encoding. */
  readonly headFields: readonly string[];
  /** Returns the envelope that ends the response, with the status of the call. */
  endEnvelope(call: GatewayCall, error: ConnectError | undefined): Uint8Array;
  /** Whether the body is text: each chunk is separate base64. */
  readonly isText: boolean;
}

/** How to write the messages of a response. */
export interface EnvelopeWriting {
  readonly dialect: EnvelopeDialect;
  readonly head: PreparedHead;
  readonly sender: MessageSender;
}

export function planEnvelopes(
  { host, handler }: ServedMethod,
  format: MessageFormat,
  compression: Compression | undefined,
  dialect: EnvelopeDialect,
): EnvelopeWriting {
  const sender = new MessageSender({
    ...{ codec: handler.codecs[format].response, compression, compressMinBytes: host.compressMinBytes },
    maxMessageBytes: handler.maxSendMessageBytes,
  });
  return { dialect, head: prepareHead(200, dialect.headFields), sender };
}

/** Frames a message of the protocol itself, with its prefix. */
export function frameEnvelope(flag: number, payload: Uint8Array): Uint8Array {
  const envelope = Buffer.allocUnsafe(messagePrefixBytes + payload.length);
  writeMessagePrefix(envelope, 0, false, payload.length);
  envelope[0] = flag;
  envelope.set(payload, messagePrefixBytes);
  return envelope;
}

/** A response with a sequence of messages, each with a prefix of five bytes, and a last one with the status of the call. */
export class EnvelopedResponse implements ResponseForm {
  readonly #call: GatewayCall;
  readonly #responder: Responder;
  readonly #writing: EnvelopeWriting;

  constructor(responder: Responder, call: GatewayCall, writing: EnvelopeWriting) {
    this.#responder = responder;
    this.#call = call;
    this.#writing = writing;
  }

  get sender(): MessageSender {
    return this.#writing.sender;
  }

  put(payload: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#call.sent(payload.length, payload.compressed);
    const hasRoom = this.#writing.dialect.isText
      ? this.#responder.sendData(toBase64(frameMessage(payload)))
      : this.#responder.sendMessage(payload);
    return hasRoom ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    this.#finish(undefined);
  }

  fail(error: ConnectError): void {
    this.#finish(error);
  }

  #finish(error: ConnectError | undefined): void {
    this.#sendHead();
    const { dialect } = this.#writing;
    const envelope = dialect.endEnvelope(this.#call, error);
    this.#responder.end(dialect.isText ? toBase64(envelope) : envelope);
  }

  #sendHead(): void {
    if (this.#responder.isHeadSent) return;
    this.#responder.sendPrepared(this.#writing.head, headerFields(this.#call.settings, this.#call.metadata));
  }
}
