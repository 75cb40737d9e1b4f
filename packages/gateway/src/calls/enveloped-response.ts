import type { ConnectError } from "@connectrpc/connect";
import {
  type Compression,
  type GatewayHost,
  MessageSender,
  type MethodHandler,
  messagePrefixBytes,
  type Payload,
  writeMessagePrefix,
} from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "./gateway-call.ts";
import type { Responder } from "./responder.ts";
import { headerFields } from "./response-metadata.ts";

/** What differs between the protocols that send messages with a prefix. */
export interface EnvelopeDialect {
  /** Fields of the head: content type and encoding. */
  readonly headFields: readonly string[];
  /** The flag of the envelope that ends the response, and what is in it. */
  readonly endFlag: number;
  endPayload(call: GatewayCall, error: ConnectError | undefined): Uint8Array;
  /** The body is text: each piece is base64 of its own. */
  readonly isText: boolean;
}

/** A response that is a sequence of messages with a prefix of five bytes each, and one that says how the call ended. */
export class EnvelopedResponse implements ResponseForm {
  readonly #host: GatewayHost;
  readonly #call: GatewayCall;
  readonly #responder: Responder;
  readonly #dialect: EnvelopeDialect;
  readonly sender: MessageSender;

  constructor(
    parts: { readonly host: GatewayHost; readonly handler: MethodHandler; readonly responder: Responder },
    call: GatewayCall,
    dialect: EnvelopeDialect,
    compression: Compression | undefined,
  ) {
    this.#host = parts.host;
    this.#responder = parts.responder;
    this.#call = call;
    this.#dialect = dialect;
    this.sender = new MessageSender({
      ...{ codec: call.responseCodec, compression, compressMinBytes: parts.host.compressMinBytes },
      maxMessageBytes: parts.handler.maxSendMessageBytes,
    });
  }

  put({ content, compressed }: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#call.sent(content.length, compressed);
    const hasRoom = this.#responder.sendData(this.#envelope(compressed ? 1 : 0, content));
    return hasRoom ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    this.#finish(undefined);
  }

  fail(error: ConnectError): void {
    this.#finish(error);
  }

  #envelope(flag: number, payload: Uint8Array): Uint8Array {
    const envelope = Buffer.allocUnsafe(messagePrefixBytes + payload.length);
    writeMessagePrefix(envelope, 0, false, payload.length);
    envelope[0] = flag;
    envelope.set(payload, messagePrefixBytes);
    return this.#dialect.isText ? Buffer.from(envelope.toString("base64"), "latin1") : envelope;
  }

  #finish(error: ConnectError | undefined): void {
    this.#sendHead();
    this.#responder.end(this.#envelope(this.#dialect.endFlag, this.#dialect.endPayload(this.#call, error)));
  }

  #sendHead(): void {
    if (this.#responder.isHeadSent) return;
    this.#responder.sendHead(200, [...this.#dialect.headFields, ...headerFields(this.#host, this.#call.metadata)]);
  }
}
