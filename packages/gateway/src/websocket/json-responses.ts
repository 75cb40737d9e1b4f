import type { Message } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { type GatewayHost, MessageSender, type Payload } from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { withEncode } from "../calls/request-codec.ts";
import { restErrorJson } from "../rest/rest-error.ts";
import type { RestSettings } from "../rest/rest-settings.ts";
import { asError } from "../rest/streams/stream-formats.ts";
import { httpStatusOfError } from "../rules/http-status.ts";
import { closeAfter } from "./close-status.ts";
import type { MessageSocket } from "./message-socket.ts";
import type { SocketRoute } from "./socket-route.ts";

/** Responses as text messages: `{"result":…}` each, and `{"error":…}` as the last one of a call that failed. */
export class JsonResponses implements ResponseForm {
  readonly sender: MessageSender;
  readonly #call: GatewayCall;
  readonly #socket: MessageSocket;
  readonly #host: GatewayHost;
  readonly #settings: RestSettings;

  constructor(
    parts: { readonly host: GatewayHost; readonly settings: RestSettings; readonly route: SocketRoute },
    call: GatewayCall,
    socket: MessageSocket,
  ) {
    const { route } = parts;
    this.#host = parts.host;
    this.#settings = parts.settings;
    this.#call = call;
    this.#socket = socket;
    this.sender = new MessageSender({
      ...{ compression: undefined, compressMinBytes: 0, maxMessageBytes: route.handler.maxSendMessageBytes },
      codec: withEncode(call.responseCodec, (one) => Buffer.from(`{"result":${route.encode(one as Message)}}`)),
    });
  }

  put({ content }: Payload): Promise<void> | undefined {
    this.#call.sent(content.length, false);
    return this.#socket.send(content, true) ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    closeAfter(this.#socket, undefined);
  }

  fail(error: ConnectError): void {
    const json = restErrorJson(error, this.#host, this.#settings, httpStatusOfError(error));
    this.#socket.send(Buffer.from(JSON.stringify(asError(json))), true);
    closeAfter(this.#socket, error);
  }
}
