import type { ConnectError } from "@connectrpc/connect";
import {
  type GatewayHost,
  MessageSender,
  type MethodHandler,
  messagePrefixBytes,
  type Payload,
  writeMessagePrefix,
} from "@tercel/grpc/protocols";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { headerFields } from "../calls/response-metadata.ts";
import { statusFields, trailerFlag } from "../grpc-web/status-fields.ts";
import { formatFieldBlock } from "../rules/field-block.ts";
import { closeAfter } from "./close-status.ts";
import type { MessageSocket } from "./message-socket.ts";

/** Flag of a message with headers, the first message in each direction. */
export const headFlag = 0x40;

/** Sends headers, responses and trailers as binary messages, each with the prefix of gRPC. */
export class ProtoResponses implements ResponseForm {
  readonly sender: MessageSender;
  readonly #call: GatewayCall;
  readonly #socket: MessageSocket;
  readonly #host: GatewayHost;
  #isHeadSent = false;

  constructor(host: GatewayHost, handler: MethodHandler, call: GatewayCall, socket: MessageSocket) {
    this.#host = host;
    this.#call = call;
    this.#socket = socket;
    this.sender = new MessageSender({
      ...{ compression: undefined, compressMinBytes: 0, maxMessageBytes: handler.maxSendMessageBytes },
      codec: call.responseCodec,
    });
  }

  put({ content }: Payload): Promise<void> | undefined {
    this.#sendHead();
    this.#call.sent(content.length, false);
    return this.#send(0, content) ? undefined : this.#call.whenWritable();
  }

  succeed(): void {
    this.#finish(undefined);
  }

  fail(error: ConnectError): void {
    this.#finish(error);
  }

  #finish(error: ConnectError | undefined): void {
    this.#sendHead();
    this.#send(trailerFlag, formatFieldBlock(statusFields(error, this.#call.metadata)));
    closeAfter(this.#socket, error);
  }

  #sendHead(): void {
    if (this.#isHeadSent) return;
    this.#isHeadSent = true;
    this.#send(headFlag, formatFieldBlock(headerFields(this.#host, this.#call.metadata)));
  }

  #send(flag: number, payload: Uint8Array): boolean {
    const frame = Buffer.allocUnsafe(messagePrefixBytes + payload.length);
    writeMessagePrefix(frame, 0, false, payload.length);
    frame[0] = flag;
    frame.set(payload, messagePrefixBytes);
    return this.#socket.send(frame, false);
  }
}
