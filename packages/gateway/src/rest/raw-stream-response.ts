import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { headerFields } from "../calls/response-metadata.ts";
import { rawBodyOf } from "../rules/http-body.ts";
import { sendRestError } from "./rest-error.ts";
import { printableType, type RestParts } from "./rest-unary-response.ts";

/** A stream of HttpBody over REST: the bytes follow each other without anything between them, and the first message has the type. */
export class RawStreamResponse implements ResponseForm {
  readonly #parts: RestParts;
  readonly #call: GatewayCall;

  constructor(parts: RestParts, call: GatewayCall) {
    this.#parts = parts;
    this.#call = call;
  }

  write(message: object): Promise<void> | undefined {
    const { responder, binding } = this.#parts;
    const { contentType, data } = rawBodyOf(binding, message as Message);
    this.#sendHead(contentType);
    this.#call.sent(data.length, false);
    return responder.sendData(data) ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    this.#sendHead("");
    this.#parts.responder.end();
  }

  /** Half a file must not look like a whole one. */
  fail(error: ConnectError): void {
    const { responder } = this.#parts;
    if (responder.isHeadSent) responder.reset();
    else sendRestError(responder, error, this.#parts);
  }

  #sendHead(contentType: string): void {
    const { responder, host } = this.#parts;
    if (responder.isHeadSent) return;
    responder.sendHead(200, [
      "content-type",
      printableType(contentType),
      ...headerFields(host, this.#call.metadata, true),
    ]);
  }
}
