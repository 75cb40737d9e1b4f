import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { MessageSender, type Payload } from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { withEncode } from "../calls/request-codec.ts";
import { headerFields, trailerFields } from "../calls/response-metadata.ts";
import { defaultSystemParameters, type SystemParameters } from "../rules/bind-query.ts";
import { encodeResponse } from "../rules/encode-response.ts";
import { httpStatusOfError } from "../rules/http-status.ts";
import { restErrorJson, sendRestError } from "./rest-error.ts";
import type { RestParts } from "./rest-unary-response.ts";
import type { StreamFormat } from "./stream-formats.ts";

const heartbeatMs = 15_000;

/** The response of a server stream over REST. The head is sent with the first message, so that an early failure still sets the HTTP status. */
export class RestStreamResponse implements ResponseForm {
  readonly #parts: RestParts;
  readonly #call: GatewayCall;
  readonly #format: StreamFormat;
  readonly sender: MessageSender;
  #count = 0;
  #cancelHeartbeat: (() => void) | undefined = undefined;
  /** The send buffer is full: heartbeats are skipped. */
  #isFull = false;
  system: SystemParameters = defaultSystemParameters;

  constructor(parts: RestParts, call: GatewayCall, format: StreamFormat) {
    this.#parts = parts;
    this.#call = call;
    this.#format = format;
    this.sender = new MessageSender({
      ...{ compression: undefined, compressMinBytes: 0, maxMessageBytes: parts.handler.maxSendMessageBytes },
      codec: withEncode(call.responseCodec, (message) => this.#encode(message as Message)),
    });
    if (format.heartbeat === undefined) return;
    this.#beatLater(format.heartbeat);
    call.whenOver(() => this.#cancelHeartbeat?.());
  }

  put({ content }: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#call.sent(content.length, false);
    if (this.#parts.responder.sendData(content)) return undefined;
    this.#isFull = true;
    return this.#call.whenWritable().then(() => {
      this.#isFull = false;
    });
  }

  succeed(): void {
    this.#sendHead();
    this.#close(undefined);
  }

  fail(error: ConnectError): void {
    if (this.#parts.responder.isHeadSent) this.#close(error);
    else sendRestError(this.#parts.responder, error, this.#parts);
  }

  #close(error: ConnectError | undefined): void {
    const { responder, host, settings } = this.#parts;
    const errorJson = () =>
      error === undefined ? null : restErrorJson(error, host, settings, httpStatusOfError(error));
    const text = this.#format.closing(error, errorJson, trailerFields(this.#call.metadata, error));
    if (text === undefined) {
      responder.reset();
      return;
    }
    responder.end(Buffer.from(text));
  }

  #encode(message: Message): Uint8Array {
    const { binding, host } = this.#parts;
    const json = encodeResponse(binding, message, this.system, host);
    return Buffer.from(this.#format.item(json, message, this.#count++));
  }

  #sendHead(): void {
    const { responder, host } = this.#parts;
    if (responder.isHeadSent) return;
    const own = headerFields(host, this.#call.metadata, true);
    responder.sendHead(200, ["content-type", this.#format.contentType, ...this.#format.headFields, ...own]);
    if (this.#format.opening !== "") responder.sendData(Buffer.from(this.#format.opening));
  }

  #beatLater(text: string): void {
    this.#cancelHeartbeat = this.#parts.host.clock.after(heartbeatMs, () => {
      if (this.#call.isOver) return;
      this.#sendHead();
      if (!this.#isFull) this.#parts.responder.sendData(Buffer.from(text));
      this.#beatLater(text);
    });
  }
}
