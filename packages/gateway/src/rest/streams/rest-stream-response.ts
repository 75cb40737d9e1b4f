import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { MessageSender, type Payload } from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../../calls/gateway-call.ts";
import { withLend } from "../../calls/request-codec.ts";
import type { Responder } from "../../calls/responder.ts";
import { headerFields, trailerFields } from "../../calls/response-metadata.ts";
import { defaultSystemParameters, type SystemParameters } from "../../rules/bind-query.ts";
import { encodeResponse } from "../../rules/encode-response.ts";
import { httpStatusOfError } from "../../rules/http-status.ts";
import { restErrorJson, sendRestError } from "../rest-error.ts";
import type { RestRoute } from "../rest-route.ts";
import type { StreamFormat } from "./stream-formats.ts";
import { TextBlocks } from "./text-blocks.ts";

const heartbeatMs = 15_000;

/** The response of a server stream over REST. Its head waits for the first message, so that an early failure has its HTTP status. */
export class RestStreamResponse implements ResponseForm {
  readonly #route: RestRoute;
  readonly #responder: Responder;
  readonly #call: GatewayCall;
  readonly #format: StreamFormat;
  readonly sender: MessageSender;
  readonly #texts = new TextBlocks((piece) => this.#send(piece));
  #isFlushPlanned = false;
  #count = 0;
  #cancelHeartbeat: (() => void) | undefined = undefined;
  /** Resolves when the client has taken of the data that waits; undefined while there is room. */
  #room: Promise<void> | undefined = undefined;
  system: SystemParameters = defaultSystemParameters;

  constructor(route: RestRoute, responder: Responder, call: GatewayCall, format: StreamFormat) {
    this.#route = route;
    this.#responder = responder;
    this.#call = call;
    this.#format = format;
    this.sender = new MessageSender({
      ...{ compression: undefined, compressMinBytes: 0, maxMessageBytes: route.handler.maxSendMessageBytes },
      codec: withLend(call.responseCodec, (message, payload) => this.#texts.lend(this.#write(message), payload)),
    });
    if (format.heartbeat === undefined) return;
    this.#beatLater(format.heartbeat);
    call.whenOver(() => this.#cancelHeartbeat?.());
  }

  put(payload: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#texts.keep(payload);
    this.#call.sent(payload.length, false);
    this.#planFlush();
    return this.#room;
  }

  /** In the next tick, which begins when all that could run has run. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    process.nextTick(flushPlanned, this);
  }

  flush(): void {
    this.#isFlushPlanned = false;
    this.#texts.flush();
  }

  #send(piece: Uint8Array): void {
    if (this.#responder.sendData(piece) || this.#room !== undefined || this.#call.isOver) return;
    this.#room = this.#call.whenWritable().then(() => {
      this.#room = undefined;
    });
  }

  succeed(): void {
    this.#sendHead();
    this.#close(undefined);
  }

  fail(error: ConnectError): void {
    if (this.#responder.isHeadSent) this.#close(error);
    else sendRestError(this.#responder, error, this.#route);
  }

  #close(error: ConnectError | undefined): void {
    const { host, settings } = this.#route;
    const errorJson = () =>
      error === undefined ? null : restErrorJson(error, host, settings, httpStatusOfError(error));
    const text = this.#format.closing(error, errorJson, trailerFields(this.#call.metadata, error));
    this.#texts.flush();
    if (text === undefined) {
      this.#responder.reset();
      return;
    }
    this.#responder.end(Buffer.from(text));
  }

  #write(message: Message): string {
    const { binding, host } = this.#route;
    const json = encodeResponse(binding, message, this.system, host);
    return this.#format.item(json, message, this.#count++);
  }

  #sendHead(): void {
    const responder = this.#responder;
    if (responder.isHeadSent) return;
    const own = headerFields(this.#route.host, this.#call.metadata, true);
    responder.sendHead(200, ["content-type", this.#format.contentType, ...this.#format.headFields, ...own]);
    if (this.#format.opening !== "") responder.sendData(Buffer.from(this.#format.opening));
  }

  #beatLater(text: string): void {
    this.#cancelHeartbeat = this.#route.host.clock.after(heartbeatMs, () => {
      if (this.#call.isOver) return;
      this.#sendHead();
      if (this.#room === undefined) this.#send(Buffer.from(text));
      this.#beatLater(text);
    });
  }
}

function flushPlanned(response: RestStreamResponse): void {
  response.flush();
}
