import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { MessageSender, type Payload } from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { withEncode } from "../calls/request-codec.ts";
import { headerFields } from "../calls/response-metadata.ts";
import { rawBodyOf } from "../rules/http-body.ts";
import { sendRestError } from "./rest-error.ts";
import { printableType, type RestParts } from "./rest-unary-response.ts";

/** The response of a method that streams HttpBody over REST: the bytes are concatenated, and the first message sets the content type. */
export class RawStreamResponse implements ResponseForm {
  readonly #parts: RestParts;
  readonly #call: GatewayCall;
  readonly sender: MessageSender;
  /** Content type of the first message. */
  #contentType: string | undefined = undefined;

  constructor(parts: RestParts, call: GatewayCall) {
    this.#parts = parts;
    this.#call = call;
    this.sender = new MessageSender({
      ...{ compression: undefined, compressMinBytes: 0, maxMessageBytes: parts.handler.maxSendMessageBytes },
      codec: withEncode(call.responseCodec, (message) => this.#encode(message as Message)),
    });
  }

  put({ content }: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#call.sent(content.length, false);
    return this.#parts.responder.sendData(content) ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    this.#sendHead();
    this.#parts.responder.end();
  }

  /** Resets the response after its head: an incomplete file must not look complete. */
  fail(error: ConnectError): void {
    const { responder } = this.#parts;
    if (responder.isHeadSent) responder.reset();
    else sendRestError(responder, error, this.#parts);
  }

  #encode(message: Message): Uint8Array {
    const { contentType, data } = rawBodyOf(this.#parts.binding, message);
    this.#contentType ??= printableType(contentType);
    return data;
  }

  #sendHead(): void {
    const { responder, host } = this.#parts;
    if (responder.isHeadSent) return;
    const type = this.#contentType ?? printableType("");
    responder.sendHead(200, ["content-type", type, ...headerFields(host, this.#call.metadata, true)]);
  }
}
