import type { ConnectError } from "@connectrpc/connect";
import { type Compression, type GatewayHost, type MessageFormat, parseTimeout } from "@tercel/grpc/protocols";
import { toBase64 } from "../calls/base64-bytes.ts";
import type { CallServer, ServedMethod } from "../calls/call-server.ts";
import { EnvelopedCalls, type EnvelopeProtocol } from "../calls/enveloped-calls.ts";
import { type EnvelopeDialect, frameEnvelope } from "../calls/enveloped-response.ts";
import { findHeader } from "../calls/read-fields.ts";
import type { Responder } from "../calls/responder.ts";
import { formatFieldBlock } from "../rules/field-block.ts";
import { statusFields, trailerFlag } from "./status-fields.ts";

const contentType = /^application\/grpc-web(-text)?(?:\+(json|proto))?(?:;.*)?$/i;

/** What a content type says of a request in gRPC-Web; undefined for one of another protocol. */
export function parseGrpcWebContentType(text: string): GrpcWebForm | undefined {
  const match = contentType.exec(text);
  if (match === null) return undefined;
  return { format: match[2]?.toLowerCase() === "json" ? "json" : "proto", isText: match[1] !== undefined };
}

/** The form that a client of gRPC-Web has chosen. */
export interface GrpcWebForm {
  readonly format: MessageFormat;
  readonly isText: boolean;
}

const binaryForm: EnvelopeProtocol = createProtocol(false);
const textForm: EnvelopeProtocol = createProtocol(true);

/** Serves calls of any kind in gRPC-Web. */
export function createGrpcWebCalls(
  method: ServedMethod,
  { format, isText }: GrpcWebForm,
  fields: readonly string[],
): CallServer {
  return new EnvelopedCalls(method, isText ? textForm : binaryForm, format, fields);
}

function createProtocol(isText: boolean): EnvelopeProtocol {
  return {
    ...{ name: "grpc-web", encodingHeader: "grpc-encoding", acceptEncodingHeader: "grpc-accept-encoding" },
    readTimeout(fields) {
      const text = findHeader(fields, "grpc-timeout");
      const parsed = text === undefined ? { timeoutMs: undefined } : parseTimeout(text);
      return "error" in parsed ? { timeoutMs: undefined, error: parsed.error } : parsed;
    },
    findProblem: () => undefined,
    toRequestCodec: (codec) => codec,
    createDialect: (host, format, compression) => createDialect(host, { format, isText }, compression),
  };
}

/** A failure before there is a call, such as a method that does not exist. */
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

/** How most calls end. */
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
