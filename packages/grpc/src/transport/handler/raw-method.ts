import type { ClientTls } from "../../call/context/call-info.ts";
import type { ResponseMetadata } from "../../call/context/response-metadata.ts";
import { rawMessages } from "../../call/messages/message-codec.ts";
import type { RawHandlerCall, RawMetadata, RawMethod } from "../../call/raw-call.ts";
import { appendMetadata, fieldPairs, type MetadataInit, receivedMetadata } from "../../protocol/metadata.ts";
import { failed, type HandledCall, sendResponse, sendResponses } from "./handled-call.ts";
import { type MethodHandler, unknownResponseBytes } from "./method-handler.ts";

const codecs = { request: rawMessages, response: rawMessages };

/** A method whose handler takes and returns bytes. */
export class RawMethodHandler implements MethodHandler {
  readonly codecs = { proto: codecs, json: codecs };
  readonly desc = undefined;
  readonly arrivals = undefined;
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
  readonly requestIsStream: boolean;
  expectedResponseBytes = unknownResponseBytes;
  readonly #method: RawMethod;
  readonly #responseIsStream: boolean;

  constructor(method: RawMethod, limits: Required<Pick<RawMethod, "maxReceiveMessageBytes" | "maxSendMessageBytes">>) {
    this.#method = method;
    this.maxReceiveMessageBytes = limits.maxReceiveMessageBytes;
    this.maxSendMessageBytes = limits.maxSendMessageBytes;
    this.requestIsStream = method.kind === "client_streaming" || method.kind === "bidi_streaming";
    this.#responseIsStream = method.kind === "server_streaming" || method.kind === "bidi_streaming";
  }

  invoke(call: HandledCall, input: object): void {
    const seen = new RawContext(call);
    call.metadata = seen;
    try {
      // The four kinds differ in their types only; which input a kind takes was decided when the call began.
      const output = this.#method.handle(input as Uint8Array & AsyncIterable<Uint8Array>, seen);
      if (this.#responseIsStream) sendResponses(call, output as AsyncIterable<Uint8Array>);
      else sendResponse(call, output as Uint8Array | Promise<Uint8Array>);
    } catch (error) {
      failed(call, error);
    }
  }
}

/** A call as its raw handler sees it, and what the handler has set. */
class RawContext implements RawHandlerCall, ResponseMetadata {
  readonly givenHeader = undefined;
  readonly givenValues = undefined;
  plainHeader: string[] | undefined = undefined;
  givenTrailer: MetadataInit | undefined = undefined;
  readonly #call: HandledCall;

  constructor(call: HandledCall) {
    this.#call = call;
  }

  get path(): string {
    return this.#call.path;
  }

  get metadata(): RawMetadata {
    return receivedMetadata(this.#call.requestFields);
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get peerAddress(): string | undefined {
    return this.#call.peerAddress;
  }

  get peerTls(): ClientTls | undefined {
    return this.#call.peerTls;
  }

  get hasResponseHeader(): boolean {
    return this.plainHeader !== undefined;
  }

  remainingMs(): number | undefined {
    return this.#call.remainingMs();
  }

  sendMetadata(metadata: RawMetadata): void {
    const call = this.#call;
    if (call.isOver) return;
    if (call.headSent)
      throw new Error("the response's head has been sent; metadata has to be sent before the first message");
    const fields: string[] = [];
    const error = appendMetadata(fields, fieldPairs(metadata));
    if (error !== undefined) throw error;
    if (fields.length > 0) this.plainHeader = fields;
    const refused = call.sendHead();
    if (refused === undefined) return;
    // Before the error it would be refused again.
    this.plainHeader = undefined;
    throw refused;
  }

  setTrailer(metadata: RawMetadata): void {
    this.givenTrailer = fieldPairs(metadata);
  }
}
