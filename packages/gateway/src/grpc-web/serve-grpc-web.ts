import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Compression,
  chooseResponseEncoding,
  type GatewayHost,
  type MessageFormat,
  parseTimeout,
} from "@tercel/grpc/protocols";
import { toBase64 } from "../calls/base64-bytes.ts";
import type { CallServer, ServedMethod } from "../calls/call-server.ts";
import type { CallPlan } from "../calls/call-view.ts";
import { findCompression } from "../calls/choose-compression.ts";
import {
  type EnvelopeDialect,
  EnvelopedResponse,
  type EnvelopeWriting,
  frameEnvelope,
  planEnvelopes,
} from "../calls/enveloped-response.ts";
import { GatewayCall } from "../calls/gateway-call.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import { EnvelopedRequests, type EnvelopeReading } from "../calls/requests/enveloped-requests.ts";
import type { Responder } from "../calls/responder.ts";
import { formatFieldBlock } from "../rules/field-block.ts";
import { Base64Decoding } from "./base64-decoding.ts";
import { statusFields, trailerFlag } from "./status-fields.ts";

const contentType = /^application\/grpc-web(-text)?(?:\+(json|proto))?(?:;.*)?$/i;

/** Parses a content type of gRPC-Web; undefined for one of another protocol. */
export function parseGrpcWebContentType(text: string): GrpcWebForm | undefined {
  const match = contentType.exec(text);
  if (match === null) return undefined;
  return { format: match[2]?.toLowerCase() === "json" ? "json" : "proto", isText: match[1] !== undefined };
}

/** The form of a gRPC-Web request. */
export interface GrpcWebForm {
  readonly format: MessageFormat;
  readonly isText: boolean;
}

/** Calls of any kind in gRPC-Web. */
export class GrpcWebCalls implements CallServer {
  readonly #plan: CallPlan;
  readonly #reading: EnvelopeReading;
  readonly #writing: EnvelopeWriting;
  readonly #problem: ConnectError | undefined;

  constructor(method: ServedMethod, form: GrpcWebForm, fields: readonly string[]) {
    const { host, handler } = method;
    const { format } = form;
    const decoding = findCompression(findHeader(fields, "grpc-encoding"), host.compressions);
    const compression = "error" in decoding ? undefined : decoding.compression;
    const accepted = chooseResponseEncoding(findHeader(fields, "grpc-accept-encoding"), compression, host.compressions);
    const timeout = findHeader(fields, "grpc-timeout");
    const parsed = timeout === undefined ? undefined : parseTimeout(timeout);
    const timeoutMs = parsed !== undefined && "timeoutMs" in parsed ? parsed.timeoutMs : undefined;
    this.#plan = {
      ...{ host, handler, protocolName: "grpc-web", responseCodec: handler.codecs[format].response },
      timeoutMs: shortest(timeoutMs, host.maxTimeoutMs),
    };
    this.#reading = { host, handler, codec: handler.codecs[format].request, compression };
    this.#writing = planEnvelopes(method, format, accepted, createDialect(host, form, accepted));
    const timeoutError = parsed !== undefined && "error" in parsed ? parsed.error : undefined;
    this.#problem = "error" in decoding ? decoding.error : timeoutError;
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

/** Sends an error before a call exists, for example for an unknown method. */
export function sendGrpcWebError(
  responder: Responder,
  format: MessageFormat,
  isText: boolean,
  error: ConnectError,
): void {
  const envelope = frameEnvelope(trailerFlag, formatFieldBlock(statusFields(error)));
  const body = isText ? toBase64(envelope) : envelope;
  responder.send(200, ["content-type", typeOf(format, isText)], body);
}

/** The end of a successful call without trailers, as most are. */
const plainSuccess = frameEnvelope(trailerFlag, formatFieldBlock(statusFields(undefined)));

function createDialect(
  host: GatewayHost,
  { format, isText }: GrpcWebForm,
  compression: Compression | undefined,
): EnvelopeDialect {
  const headFields = ["content-type", typeOf(format, isText)];
  if (host.compressions.length > 0) {
    headFields.push("grpc-accept-encoding", host.compressions.map((one) => one.name).join(","));
  }
  if (compression !== undefined) headFields.push("grpc-encoding", compression.name);
  return {
    headFields,
    isText,
    endEnvelope: (call, error) =>
      error === undefined && call.metadata?.givenTrailer === undefined
        ? plainSuccess
        : frameEnvelope(trailerFlag, formatFieldBlock(statusFields(error, call.metadata))),
  };
}

function typeOf(format: MessageFormat, isText: boolean): string {
  return `application/grpc-web${isText ? "-text" : ""}+${format}`;
}
