import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { headerFields, trailerFields } from "../calls/response-metadata.ts";
import { defaultSystemParameters, type SystemParameters } from "../rules/bind-query.ts";
import { encodeResponse } from "../rules/encode-response.ts";
import { httpStatusOfError } from "../rules/http-status.ts";
import { restErrorJson, sendRestError } from "./rest-error.ts";
import type { RestParts } from "./rest-unary-response.ts";
import type { StreamFormat } from "./stream-formats.ts";

const heartbeatMs = 15_000;

/** The response of a server stream over REST. Its head waits for the first message, so that an early failure has its HTTP status. */
export class RestStreamResponse implements ResponseForm {
  readonly #parts: RestParts;
  readonly #call: GatewayCall;
  readonly #format: StreamFormat;
  #count = 0;
  #cancelHeartbeat: (() => void) | undefined = undefined;
  /** Data waits that the client has not taken. */
  #isFull = false;
  system: SystemParameters = defaultSystemParameters;

  constructor(parts: RestParts, call: GatewayCall, format: StreamFormat) {
    this.#parts = parts;
    this.#call = call;
    this.#format = format;
    if (format.heartbeat === undefined) return;
    this.#beatLater(format.heartbeat);
    call.whenOver(() => this.#cancelHeartbeat?.());
  }

  write(message: object): Promise<void> | undefined {
    const { handler } = this.#parts;
    const item = this.#format.item(this.#encode(message as Message), message as Message, this.#count);
    const bytes = Buffer.from(item);
    const { maxSendMessageBytes } = handler;
    if (bytes.length > maxSendMessageBytes) {
      const text = `a message of ${bytes.length} bytes is over the limit of ${maxSendMessageBytes} for sending`;
      throw new ConnectError(text, Code.ResourceExhausted);
    }
    this.#sendHead();
    this.#count++;
    this.#call.sent(bytes.length, false);
    if (this.#parts.responder.sendData(bytes)) return undefined;
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

  #encode(message: Message): string {
    const { binding, host } = this.#parts;
    return encodeResponse(binding, message, this.system, host.registry);
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
