import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { MessageSender, type Payload } from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../../calls/gateway-call.ts";
import { withEncode } from "../../calls/request-codec.ts";
import type { Responder } from "../../calls/responder.ts";
import { headerFields } from "../../calls/response-metadata.ts";
import { rawBodyOf } from "../../rules/http-body.ts";
import { sendRestError } from "../rest-error.ts";
import type { RestRoute } from "../rest-route.ts";
import { printableType } from "../rest-unary-response.ts";

/** A stream of HttpBody over REST: the bytes follow each other without anything between them, and the first message has the type. */
export class RawStreamResponse implements ResponseForm {
  readonly #route: RestRoute;
  readonly #responder: Responder;
  readonly #call: GatewayCall;
  readonly sender: MessageSender;
  /** Of the first message. */
  #contentType: string | undefined = undefined;

  constructor(route: RestRoute, responder: Responder, call: GatewayCall) {
    this.#route = route;
    this.#responder = responder;
    this.#call = call;
    this.sender = new MessageSender({
      ...{ compression: undefined, compressMinBytes: 0, maxMessageBytes: route.handler.maxSendMessageBytes },
      codec: withEncode(call.responseCodec, (message) => this.#encode(message as Message)),
    });
  }

  put({ content }: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#call.sent(content.length, false);
    return this.#responder.sendData(content) ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    this.#sendHead();
    this.#responder.end();
  }

  /** Half a file must not look like a whole one. */
  fail(error: ConnectError): void {
    if (this.#responder.isHeadSent) this.#responder.reset();
    else sendRestError(this.#responder, error, this.#route);
  }

  #encode(message: Message): Uint8Array {
    const { contentType, data } = rawBodyOf(this.#route.binding, message);
    this.#contentType ??= printableType(contentType);
    return data;
  }

  #sendHead(): void {
    if (this.#responder.isHeadSent) return;
    const type = this.#contentType ?? printableType("");
    const own = headerFields(this.#route.host, this.#call.metadata, true);
    this.#responder.sendHead(200, ["content-type", type, ...own]);
  }
}
