import { base64Decode } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Compression, chooseResponseEncoding, type MessageFormat } from "@tercel/grpc/protocols";
import type { CallServer, ServedMethod } from "../calls/call-server.ts";
import type { CallPlan } from "../calls/call-view.ts";
import { findCompression } from "../calls/choose-compression.ts";
import { EnvelopedCalls, type EnvelopeProtocol } from "../calls/enveloped-calls.ts";
import { GatewayCall } from "../calls/gateway-call.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import { asInvalidArgument } from "../calls/request-codec.ts";
import { readTimeout } from "../calls/requested-timeout.ts";
import {
  announcedBytes,
  BodyCollector,
  type BodyReader,
  bodyTooLarge,
  type ExpectedBody,
} from "../calls/requests/body-collector.ts";
import { UnaryMessage, type UnaryReading } from "../calls/requests/unary-message.ts";
import type { Responder } from "../calls/responder.ts";
import { parseQuery, type QueryParameters } from "../rules/query-parameters.ts";
import { createConnectStreamDialect } from "./connect-stream-dialect.ts";
import { ConnectUnaryResponse, type ConnectUnaryWriting, planConnectUnary } from "./connect-unary-response.ts";

const timeoutHeader = "connect-timeout-ms";

/** Unary calls by POST: the body is the message. */
export class ConnectUnaryCalls implements CallServer {
  readonly #plan: CallPlan;
  readonly #expected: ExpectedBody;
  readonly #reading: UnaryReading;
  readonly #writing: ConnectUnaryWriting;
  readonly #problem: ConnectError | undefined;

  constructor(method: ServedMethod, format: MessageFormat, fields: readonly string[]) {
    const { host, handler } = method;
    const { maxReceiveMessageBytes: maxBytes } = handler;
    const { compression, encodingError } = readEncoding(host.compressions, findHeader(fields, "content-encoding"));
    const accepted = chooseResponseEncoding(findHeader(fields, "accept-encoding"), compression, host.compressions);
    const { plan, timeoutError } = planCall(method, format, fields);
    this.#plan = plan;
    this.#expected = { maxBytes, announcedBytes: announcedBytes(fields) };
    this.#reading = { codec: asInvalidArgument(handler.codecs[format].request), compression, maxBytes };
    this.#writing = planConnectUnary(method, format, accepted);
    const isTooLarge = this.#expected.announcedBytes > maxBytes;
    this.#problem =
      encodingError ??
      timeoutError ??
      versionProblem(findHeader(fields, "connect-protocol-version")) ??
      (isTooLarge ? bodyTooLarge(maxBytes) : undefined);
  }

  get isUsable(): boolean {
    return this.#problem === undefined;
  }

  serve(responder: Responder): void {
    const { exchange } = responder;
    const call = new GatewayCall(this.#plan, exchange);
    exchange.listener = new BodyCollector(exchange, call, this.#expected, new UnaryMessage(call, this.#reading));
    const isOpen = call.begin(new ConnectUnaryResponse(responder, call, this.#writing));
    if (isOpen && this.#problem !== undefined) call.fail(this.#problem);
  }
}

/** The body of a GET, of which there is none. */
const emptyBody: BodyReader = { read() {}, run() {} };

/** A unary call by GET: the query holds the message. */
export function serveConnectGet(method: ServedMethod, responder: Responder, query: string): void {
  const { host, handler } = method;
  const { exchange } = responder;
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
  const { compression, encodingError } = readEncoding(host.compressions, findHeader(parameters, "compression"));
  const acceptEncoding = findHeader(fields, "accept-encoding") ?? "identity";
  const accepted = chooseResponseEncoding(acceptEncoding, undefined, host.compressions);
  const { plan, timeoutError } = planCall(method, format, fields);
  const call = new GatewayCall(plan, exchange);
  exchange.listener = new BodyCollector(exchange, call, { maxBytes: 0, announcedBytes: -1 }, emptyBody);
  if (!call.begin(new ConnectUnaryResponse(responder, call, planConnectUnary(method, format, accepted)))) return;
  const version = findHeader(parameters, "connect")?.replace(/^v/, "");
  const problem = queryError ?? timeoutError ?? versionProblem(version) ?? encodingError;
  if (problem !== undefined) call.fail(problem);
  else if (encoding !== "json" && encoding !== "proto") {
    call.fail(new ConnectError("the query parameter encoding has to be json or proto", Code.InvalidArgument));
  } else {
    const bytes = readQueryMessage(parameters);
    if (bytes === undefined) {
      call.fail(new ConnectError("the query parameter message is not base64", Code.InvalidArgument));
      return;
    }
    const codec = asInvalidArgument(handler.codecs[format].request);
    const message = new UnaryMessage(call, { codec, compression, maxBytes: handler.maxReceiveMessageBytes });
    message.read(bytes, true);
    if (!call.isOver) message.run();
  }
}

const streams: EnvelopeProtocol = {
  ...{ name: "connect", encodingHeader: "connect-content-encoding", acceptEncodingHeader: "connect-accept-encoding" },
  readTimeout: (fields) => readTimeout(fields, timeoutHeader),
  findProblem: (fields) => versionProblem(findHeader(fields, "connect-protocol-version")),
  toRequestCodec: asInvalidArgument,
  createDialect: createConnectStreamDialect,
};

/** Serves calls of any kind with messages in envelopes. */
export function createConnectStreamCalls(
  method: ServedMethod,
  format: MessageFormat,
  fields: readonly string[],
): CallServer {
  return new EnvelopedCalls(method, streams, format, fields);
}

function readEncoding(
  compressions: readonly Compression[],
  encoding: string | undefined,
): { readonly compression: Compression | undefined; readonly encodingError: ConnectError | undefined } {
  const found = findCompression(encoding, compressions);
  return "error" in found
    ? { compression: undefined, encodingError: found.error }
    : { compression: found.compression, encodingError: undefined };
}

function planCall(
  { host, handler }: ServedMethod,
  format: MessageFormat,
  fields: readonly string[],
): { readonly plan: CallPlan; readonly timeoutError: ConnectError | undefined } {
  const timeout = readTimeout(fields, timeoutHeader);
  const plan = {
    ...{ host, handler, protocolName: "connect", responseCodec: handler.codecs[format].response },
    timeoutMs: shortest(timeout.timeoutMs, host.maxTimeoutMs),
  };
  return { plan, timeoutError: timeout.error };
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
