import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  chooseResponseEncoding,
  type GatewayHost,
  type MessageFormat,
  type MethodHandler,
} from "@tercel/grpc/protocols";
import { BodyCollector } from "../calls/body-collector.ts";
import { findCompression } from "../calls/choose-compression.ts";
import { EnvelopedRequests } from "../calls/enveloped-requests.ts";
import { EnvelopedResponse } from "../calls/enveloped-response.ts";
import { GatewayCall } from "../calls/gateway-call.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import { asInvalidArgument } from "../calls/request-codec.ts";
import type { Responder } from "../calls/responder.ts";
import { parseQuery, type QueryParameters } from "../rules/query-parameters.ts";
import { createConnectStreamDialect } from "./connect-stream-dialect.ts";
import { parseConnectTimeout } from "./connect-timeout.ts";
import { ConnectUnaryResponse } from "./connect-unary-response.ts";

/** A call in Connect's protocol. */
export interface ConnectRequest {
  readonly host: GatewayHost;
  readonly handler: MethodHandler;
  readonly responder: Responder;
  readonly format: MessageFormat;
}

/** A unary call by POST: the body is the message. */
export function serveConnectUnary(request: ConnectRequest): void {
  const { responder, host, format, handler } = request;
  const { fields } = responder.head;
  const decoding = findCompression(findHeader(fields, "content-encoding"), host.compressions);
  const compression = "error" in decoding ? undefined : decoding.compression;
  const accepted = chooseResponseEncoding(findHeader(fields, "accept-encoding"), compression, host.compressions);
  const { call, timeoutError } = createCall(request, findHeader(fields, "connect-timeout-ms"));
  const isOpen = call.begin(new ConnectUnaryResponse(request, call, format, accepted));
  responder.exchange.listener = new BodyCollector(responder.exchange, call, handler.maxReceiveMessageBytes, (body) => {
    runWith(request, call, compression, body);
  });
  if (!isOpen) return;
  const problem = versionProblem(findHeader(fields, "connect-protocol-version"));
  if ("error" in decoding) call.fail(decoding.error);
  else if (timeoutError !== undefined) call.fail(timeoutError);
  else if (problem !== undefined) call.fail(problem);
}

/** A unary call by GET: the query holds the message. */
export function serveConnectGet(request: Omit<ConnectRequest, "format">, query: string): void {
  const { responder, host } = request;
  const { fields } = responder.head;
  let parameters: QueryParameters = [];
  let queryError: unknown;
  try {
    parameters = parseQuery(query);
  } catch (error) {
    queryError = error;
  }
  const encoding = findHeader(parameters, "encoding");
  const format = encoding === "json" ? "json" : "proto";
  const decoding = findCompression(findHeader(parameters, "compression"), host.compressions);
  const compression = "error" in decoding ? undefined : decoding.compression;
  const accepted = chooseResponseEncoding(
    findHeader(fields, "accept-encoding") ?? "identity",
    undefined,
    host.compressions,
  );
  const typed = { ...request, format } as const;
  const { call, timeoutError } = createCall(typed, findHeader(fields, "connect-timeout-ms"));
  const isOpen = call.begin(new ConnectUnaryResponse(typed, call, format, accepted));
  responder.exchange.listener = new BodyCollector(responder.exchange, call, 0, () => {});
  if (!isOpen) return;
  const problem = queryError ?? timeoutError ?? versionProblem(findHeader(parameters, "connect")?.replace(/^v/, ""));
  if (problem !== undefined) call.fail(problem);
  else if ("error" in decoding) call.fail(decoding.error);
  else if (encoding !== "json" && encoding !== "proto") {
    call.fail(new ConnectError("the query parameter encoding has to be json or proto", Code.InvalidArgument));
  } else {
    const message = readQueryMessage(parameters);
    if (message === undefined)
      call.fail(new ConnectError("the query parameter message is not base64", Code.InvalidArgument));
    else runWith(typed, call, compression, message);
  }
}

/** A call of any kind with messages in envelopes. */
export function serveConnectStream(request: ConnectRequest): void {
  const { responder, host, format, handler } = request;
  const { fields } = responder.head;
  const decoding = findCompression(findHeader(fields, "connect-content-encoding"), host.compressions);
  const compression = "error" in decoding ? undefined : decoding.compression;
  const accept = findHeader(fields, "connect-accept-encoding");
  const accepted = chooseResponseEncoding(accept, compression, host.compressions);
  const { call, timeoutError } = createCall(request, findHeader(fields, "connect-timeout-ms"));
  const dialect = createConnectStreamDialect(host, format, accepted);
  const codec = asInvalidArgument(handler.codecs[format].request);
  const requests = new EnvelopedRequests(call, { ...request, exchange: responder.exchange, codec, compression });
  responder.exchange.listener = requests;
  if (!call.begin(new EnvelopedResponse(request, call, dialect, accepted))) return;
  const problem = versionProblem(findHeader(fields, "connect-protocol-version"));
  if ("error" in decoding) call.fail(decoding.error);
  else if (timeoutError !== undefined) call.fail(timeoutError);
  else if (problem !== undefined) call.fail(problem);
  else requests.start();
}

function createCall(request: ConnectRequest, timeout: string | undefined) {
  const { host, handler, responder, format } = request;
  let timeoutMs: number | undefined;
  let timeoutError: unknown;
  try {
    timeoutMs = parseConnectTimeout(timeout);
  } catch (error) {
    timeoutError = error;
  }
  const call = new GatewayCall({
    ...{ host, handler, exchange: responder.exchange, protocolName: "connect" },
    responseCodec: handler.codecs[format].response,
    timeoutMs: shortest(timeoutMs, host.maxTimeoutMs),
  });
  return { call, timeoutError };
}

function runWith(
  { handler, format }: ConnectRequest,
  call: GatewayCall,
  compression: GatewayHost["compressions"][number] | undefined,
  body: Uint8Array,
): void {
  const codec = asInvalidArgument(handler.codecs[format].request);
  call.received(body.length, compression !== undefined);
  const decode = (plain: Uint8Array): void => {
    if (call.isOver) return;
    try {
      call.run(codec.decode(plain));
    } catch (error) {
      call.fail(error);
    }
  };
  if (compression === undefined || body.length === 0) {
    decode(body);
    return;
  }
  try {
    const plain = compression.decompress(body, handler.maxReceiveMessageBytes);
    if (plain instanceof Promise) plain.then(decode, (error) => call.fail(error));
    else decode(plain);
  } catch (error) {
    call.fail(error);
  }
}

function readQueryMessage(parameters: QueryParameters): Uint8Array | undefined {
  const text = findHeader(parameters, "message") ?? "";
  if (findHeader(parameters, "base64") !== "1") return Buffer.from(text);
  try {
    return base64Decode(text);
  } catch {
    return undefined;
  }
}

function versionProblem(version: string | undefined): ConnectError | undefined {
  if (version === undefined || version === "1") return undefined;
  return new ConnectError(
    `unknown version ${JSON.stringify(version.slice(0, 32))} of Connect's protocol; it has to be 1`,
    Code.InvalidArgument,
  );
}
