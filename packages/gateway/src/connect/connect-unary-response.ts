import type { JsonWriteOptions } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import {
  type Compression,
  type GatewayHost,
  type MessageFormat,
  MessageSender,
  type MethodHandler,
  type Payload,
} from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import type { Responder } from "../calls/responder.ts";
import { errorFields, headerFields, trailerFields } from "../calls/response-metadata.ts";
import { httpStatusOf } from "../rules/http-status.ts";

const noBytes = new Uint8Array(0);

/** The response of a unary call in Connect's protocol: the message is the body, trailers are headers whose names begin with "trailer-". */
export class ConnectUnaryResponse implements ResponseForm {
  readonly #host: GatewayHost;
  readonly sender: MessageSender;
  readonly #responder: Responder;
  readonly #call: GatewayCall;
  readonly #format: MessageFormat;
  readonly #compression: Compression | undefined;
  #body: Uint8Array = noBytes;
  #isCompressed = false;

  constructor(
    parts: { readonly host: GatewayHost; readonly handler: MethodHandler; readonly responder: Responder },
    call: GatewayCall,
    format: MessageFormat,
    compression: Compression | undefined,
  ) {
    this.#host = parts.host;
    this.sender = new MessageSender({
      ...{ codec: call.responseCodec, compression, compressMinBytes: parts.host.compressMinBytes },
      maxMessageBytes: parts.handler.maxSendMessageBytes,
    });
    this.#responder = parts.responder;
    this.#call = call;
    this.#format = format;
    this.#compression = compression;
  }

  put({ content, compressed }: Payload): undefined {
    this.#body = content;
    this.#isCompressed = compressed;
  }

  succeed(): void {
    const fields = ["content-type", `application/${this.#format}`, ...this.#metadataFields(undefined)];
    if (this.#isCompressed) fields.push("content-encoding", this.#compression?.name ?? "identity");
    if (this.#host.compressions.length > 0) fields.push("vary", "accept-encoding");
    this.#call.sent(this.#body.length, this.#isCompressed);
    this.#responder.send(200, fields, this.#body);
  }

  fail(error: ConnectError): void {
    const fields = ["content-type", "application/json", ...this.#metadataFields(error)];
    if (this.#host.compressions.length > 0) {
      fields.push("accept-encoding", this.#host.compressions.map((one) => one.name).join(","));
    }
    this.#responder.send(httpStatusOf(error.code), fields, connectErrorBody(error, this.#host));
  }

  #metadataFields(error: ConnectError | undefined): string[] {
    const { metadata } = this.#call;
    const fields = [...headerFields(this.#host, metadata)];
    if (error !== undefined) fields.push(...errorFields(error));
    const trailers = trailerFields(metadata);
    for (let at = 0; at < trailers.length; at += 2) fields.push(`trailer-${trailers[at]}`, trailers[at + 1] as string);
    return fields;
  }
}

/** The JSON of an error in Connect's protocol. */
export function connectErrorBody(error: ConnectError, host: GatewayHost): Uint8Array {
  const options: Partial<JsonWriteOptions> = host.registry === undefined ? {} : { registry: host.registry };
  return errorToJsonBytes(error, options);
}
