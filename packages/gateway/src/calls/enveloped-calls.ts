import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Compression,
  chooseResponseEncoding,
  type GatewayHost,
  type MessageCodec,
  type MessageFormat,
} from "@tercel/grpc/protocols";
import type { CallServer, ServedMethod } from "./call-server.ts";
import type { CallPlan } from "./call-view.ts";
import { findCompression } from "./choose-compression.ts";
import { type EnvelopeDialect, EnvelopedResponse, type EnvelopeWriting, planEnvelopes } from "./enveloped-response.ts";
import { GatewayCall } from "./gateway-call.ts";
import { findHeader, shortest } from "./read-fields.ts";
import type { RequestedTimeout } from "./requested-timeout.ts";
import { Base64Decoding } from "./requests/base64-decoding.ts";
import { EnvelopedRequests, type EnvelopeReading } from "./requests/enveloped-requests.ts";
import type { Responder } from "./responder.ts";

/** A protocol whose messages have a prefix of five bytes each: gRPC-Web, and streams of Connect. */
export interface EnvelopeProtocol {
  /** As Connect names it. */
  readonly name: string;
  /** The headers that say how messages are compressed, and how those of the response may be. */
  readonly encodingHeader: string;
  readonly acceptEncodingHeader: string;
  readTimeout(fields: readonly string[]): RequestedTimeout;
  /** What else is wrong with a head. */
  findProblem(fields: readonly string[]): ConnectError | undefined;
  /** The codec of requests, given that of the method. */
  toRequestCodec(codec: MessageCodec): MessageCodec;
  createDialect(host: GatewayHost, format: MessageFormat, compression: Compression | undefined): EnvelopeDialect;
}

/** Serves the calls of one head in such a protocol. */
export class EnvelopedCalls implements CallServer {
  readonly #plan: CallPlan;
  readonly #reading: EnvelopeReading;
  readonly #writing: EnvelopeWriting;
  readonly #problem: ConnectError | undefined;

  constructor(method: ServedMethod, protocol: EnvelopeProtocol, format: MessageFormat, fields: readonly string[]) {
    const { host, handler } = method;
    const codecs = handler.codecs[format];
    const decoding = findCompression(findHeader(fields, protocol.encodingHeader), host.compressions);
    const compression = "error" in decoding ? undefined : decoding.compression;
    const accept = findHeader(fields, protocol.acceptEncodingHeader);
    const accepted = chooseResponseEncoding(accept, compression, host.compressions);
    const timeout = protocol.readTimeout(fields);
    this.#plan = {
      ...{ host, handler, protocolName: protocol.name, responseCodec: codecs.response },
      timeoutMs: shortest(timeout.timeoutMs, host.maxTimeoutMs),
    };
    this.#reading = { host, handler, codec: protocol.toRequestCodec(codecs.request), compression };
    this.#writing = planEnvelopes(method, format, accepted, protocol.createDialect(host, format, accepted));
    this.#problem = "error" in decoding ? decoding.error : (timeout.error ?? protocol.findProblem(fields));
  }

  get isUsable(): boolean {
    return this.#problem === undefined;
  }

  serve(responder: Responder): void {
    const { exchange } = responder;
    const call = new GatewayCall(this.#plan, exchange);
    const requests = new EnvelopedRequests(call, exchange, this.#reading);
    exchange.listener = this.#writing.dialect.isText
      ? new Base64Decoding(
          requests,
          (bytes) => exchange.consume(bytes),
          () => call.fail(new ConnectError("the body is not base64", Code.InvalidArgument)),
        )
      : requests;
    if (!call.begin(new EnvelopedResponse(responder, call, this.#writing))) return;
    if (this.#problem !== undefined) call.fail(this.#problem);
    else requests.start();
  }
}
