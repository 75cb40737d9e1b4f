import type { JsonWriteOptions } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import {
  type Compression,
  type GatewayHost,
  type MessageFormat,
  MessageSender,
  type Payload,
  type PreparedHead,
} from "@tercel/grpc/protocols";
import type { ServedMethod } from "../calls/call-server.ts";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { prepareHead, type Responder } from "../calls/responder.ts";
import { errorFields, headerFields, trailerFields } from "../calls/response-metadata.ts";
import { httpStatusOf } from "../rules/http-status.ts";

const noBytes = new Uint8Array(0);

/** How to write the response of a unary call. */
export interface ConnectUnaryWriting {
  readonly sender: MessageSender;
  readonly plainHead: PreparedHead;
  readonly compressedHead: PreparedHead;
}

export function planConnectUnary(
  { host, handler }: ServedMethod,
  format: MessageFormat,
  compression: Compression | undefined,
): ConnectUnaryWriting {
  const sender = new MessageSender({
    ...{ codec: handler.codecs[format].response, compression, compressMinBytes: host.compressMinBytes },
    maxMessageBytes: handler.maxSendMessageBytes,
  });
  const fields = ["content-type", `application/${format}`];
  if (host.compressions.length > 0) fields.push("vary", "accept-encoding");
  const encoding = ["content-encoding", compression?.name ?? "identity"];
  return { sender, plainHead: prepareHead(200, fields), compressedHead: prepareHead(200, [...fields, ...encoding]) };
}

/** The response of a unary call in the Connect protocol: the message is the body, and trailers are headers with the prefix "trailer-". */
export class ConnectUnaryResponse implements ResponseForm {
  readonly #responder: Responder;
  readonly #call: GatewayCall;
  readonly #writing: ConnectUnaryWriting;
  #body: Uint8Array = noBytes;
  #isCompressed = false;

  constructor(responder: Responder, call: GatewayCall, writing: ConnectUnaryWriting) {
    this.#responder = responder;
    this.#call = call;
    this.#writing = writing;
  }

  get sender(): MessageSender {
    return this.#writing.sender;
  }

  put({ content, compressed }: Payload): undefined {
    this.#body = content;
    this.#isCompressed = compressed;
  }

  succeed(): void {
    const { plainHead, compressedHead } = this.#writing;
    this.#call.sent(this.#body.length, this.#isCompressed);
    this.#responder.sendWhole(
      this.#isCompressed ? compressedHead : plainHead,
      metadataFields(this.#call, undefined),
      this.#body,
    );
  }

  fail(error: ConnectError): void {
    const { settings: host } = this.#call;
    const fields = ["content-type", "application/json", ...metadataFields(this.#call, error)];
    if (host.compressions.length > 0) {
      fields.push("accept-encoding", host.compressions.map((one) => one.name).join(","));
    }
    this.#responder.send(httpStatusOf(error.code), fields, connectErrorBody(error, host));
  }
}

function metadataFields({ settings: host, metadata }: GatewayCall, error: ConnectError | undefined): readonly string[] {
  const headers = headerFields(host, metadata);
  if (error === undefined && metadata?.givenTrailer === undefined) return headers;
  const fields = [...headers];
  if (error !== undefined) fields.push(...errorFields(error));
  const trailers = trailerFields(metadata);
  for (let at = 0; at < trailers.length; at += 2) fields.push(`trailer-${trailers[at]}`, trailers[at + 1] as string);
  return fields;
}

/** Returns the JSON of an error in the Connect protocol. */
export function connectErrorBody(error: ConnectError, host: GatewayHost): Uint8Array {
  const options: Partial<JsonWriteOptions> = host.registry === undefined ? {} : { registry: host.registry };
  return errorToJsonBytes(error, options);
}
