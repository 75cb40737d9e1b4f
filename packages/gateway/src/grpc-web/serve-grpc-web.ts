import { Code, ConnectError } from "@connectrpc/connect";
import {
  type Compression,
  chooseResponseEncoding,
  type GatewayHost,
  type MessageFormat,
  type MethodHandler,
  parseTimeout,
} from "@tercel/grpc/protocols";
import { findCompression } from "../calls/choose-compression.ts";
import { EnvelopedRequests } from "../calls/enveloped-requests.ts";
import { type EnvelopeDialect, EnvelopedResponse } from "../calls/enveloped-response.ts";
import { GatewayCall } from "../calls/gateway-call.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import { formatFieldBlock } from "../rules/field-block.ts";
import { Base64Decoding } from "./base64-decoding.ts";
import { statusFields, trailerFlag } from "./status-fields.ts";

const contentType = /^application\/grpc-web(-text)?(?:\+(json|proto))?(?:;.*)?$/i;

/** What a content type says of a request in gRPC-Web; undefined for one of another protocol. */
export function parseGrpcWebContentType(
  text: string,
): { readonly format: MessageFormat; readonly isText: boolean } | undefined {
  const match = contentType.exec(text);
  if (match === null) return undefined;
  return { format: match[2]?.toLowerCase() === "json" ? "json" : "proto", isText: match[1] !== undefined };
}

export interface GrpcWebRequest {
  readonly host: GatewayHost;
  readonly handler: MethodHandler;
  readonly responder: Responder;
  readonly format: MessageFormat;
  readonly isText: boolean;
}

/** A call of any kind in gRPC-Web. */
export function serveGrpcWeb(request: GrpcWebRequest): void {
  const { responder, host, format, handler, isText } = request;
  const { exchange } = responder;
  const { fields } = responder.head;
  const decoding = findCompression(findHeader(fields, "grpc-encoding"), host.compressions);
  const compression = "error" in decoding ? undefined : decoding.compression;
  const accepted = chooseResponseEncoding(findHeader(fields, "grpc-accept-encoding"), compression, host.compressions);
  const timeout = findHeader(fields, "grpc-timeout");
  const parsed = timeout === undefined ? undefined : parseTimeout(timeout);
  const timeoutMs = parsed !== undefined && "timeoutMs" in parsed ? parsed.timeoutMs : undefined;
  const call = new GatewayCall({
    ...{ host, handler, exchange, protocolName: "grpc-web" },
    responseCodec: handler.codecs[format].response,
    timeoutMs: shortest(timeoutMs, host.maxTimeoutMs),
  });
  const codec = handler.codecs[format].request;
  const requests = new EnvelopedRequests(call, { host, handler, exchange, codec, compression });
  exchange.listener = isText
    ? new Base64Decoding(
        requests,
        (bytes) => exchange.consume(bytes),
        () => call.fail(new ConnectError("the body is not base64", Code.InvalidArgument)),
      )
    : requests;
  const dialect = createDialect(request, accepted);
  if (!call.begin(new EnvelopedResponse(request, call, dialect, accepted))) return;
  if ("error" in decoding) call.fail(decoding.error);
  else if (parsed !== undefined && "error" in parsed) call.fail(parsed.error);
  else requests.start();
}

/** A failure before there is a call, such as a method that does not exist. */
export function sendGrpcWebError(
  responder: Responder,
  format: MessageFormat,
  isText: boolean,
  error: ConnectError,
): void {
  const payload = formatFieldBlock(statusFields(error));
  const envelope = Buffer.alloc(5 + payload.length);
  envelope[0] = trailerFlag;
  envelope.writeUInt32BE(payload.length, 1);
  envelope.set(payload, 5);
  const body = isText ? Buffer.from(envelope.toString("base64"), "latin1") : envelope;
  responder.send(200, ["content-type", typeOf(format, isText)], body);
}

/** How most calls end. */
const plainSuccess = formatFieldBlock(statusFields(undefined));

function createDialect(
  { host, format, isText }: GrpcWebRequest,
  compression: Compression | undefined,
): EnvelopeDialect {
  const headFields = ["content-type", typeOf(format, isText)];
  if (host.compressions.length > 0) {
    headFields.push("grpc-accept-encoding", host.compressions.map((one) => one.name).join(","));
  }
  if (compression !== undefined) headFields.push("grpc-encoding", compression.name);
  return {
    headFields,
    endFlag: trailerFlag,
    isText,
    endPayload: (call, error) =>
      error === undefined && call.metadata?.givenTrailer === undefined
        ? plainSuccess
        : formatFieldBlock(statusFields(error, call.metadata)),
  };
}

function typeOf(format: MessageFormat, isText: boolean): string {
  return `application/grpc-web${isText ? "-text" : ""}+${format}`;
}
