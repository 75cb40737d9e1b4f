import type { DescField, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import type { Compression, HttpRequestHead } from "@tercel/grpc/protocols";
import { BodyCollector } from "../calls/body-collector.ts";
import { findCompression } from "../calls/choose-compression.ts";
import { GatewayCall, type ResponseForm } from "../calls/gateway-call.ts";
import { freeTaken } from "../calls/growing-bytes.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import { requestedTimeout } from "../calls/requested-timeout.ts";
import { bindParts } from "../rules/bind-parts.ts";
import type { SystemParameters } from "../rules/bind-query.ts";
import { bindRequest, bindStreamed } from "../rules/bind-request.ts";
import { createRawBody, isRawBody } from "../rules/http-body.ts";
import { httpStatusOfError, withHttpStatus } from "../rules/http-status.ts";
import { parseMultipart } from "../rules/multipart.ts";
import { parseQuery } from "../rules/query-parameters.ts";
import { requestProblem } from "../rules/request-problem.ts";
import type { RestBinding } from "../rules/rest-binding.ts";
import { chooseType } from "./accept.ts";
import { findBodyProblem, findHeadProblem, isMultipart } from "./check-rest-request.ts";
import { LineRequests } from "./line-requests.ts";
import { RawStreamResponse } from "./raw-stream-response.ts";
import { sendRestError } from "./rest-error.ts";
import { RestStreamResponse } from "./rest-stream-response.ts";
import { type RestParts, RestUnaryResponse } from "./rest-unary-response.ts";
import { arrayFormat, createEventFormat, endOfEventsId, ndjsonFormat, type StreamFormat } from "./stream-formats.ts";

/** A request that a route of the REST API has matched. */
export interface RestRequestParts extends RestParts {
  readonly pathValues: readonly string[];
  readonly query: string;
}

type RestForm = ResponseForm & { system?: SystemParameters; hasIfMatch?: boolean };

/** Calls a method for a REST request. */
export function serveRest(parts: RestRequestParts): void {
  const { responder, binding, host, handler } = parts;
  const { exchange } = responder;
  const { fields } = responder.head;
  const kind = binding.method.methodKind;
  const problem = findHeadProblem(parts);
  if (problem !== undefined) {
    sendRestError(responder, problem, parts, { fields: upgradeFields(responder.head, problem) });
    return;
  }
  if (kind === "server_streaming" && findHeader(fields, "last-event-id") === endOfEventsId) {
    // An EventSource reconnects whatever it was told, unless it gets this.
    responder.sendHead(204, []);
    responder.end();
    return;
  }
  const call = new GatewayCall({
    ...{ host, handler, exchange, protocolName: "rest" },
    responseCodec: handler.codecs.json.response,
    timeoutMs: timeoutOf(parts),
  });
  const form = createForm(parts, call);
  if (form === undefined) {
    const problem = requestProblem("NOT_ACCEPTABLE", [], "no acceptable response type");
    sendRestError(responder, withHttpStatus(problem, 406), parts);
    return;
  }
  if (kind === "client_streaming") serveLines(parts, call, form);
  else serveBody(parts, call, form);
}

/** HTTP/2 has no upgrade, and no place for these fields. */
function upgradeFields({ version }: HttpRequestHead, problem: ConnectError): readonly string[] {
  return httpStatusOfError(problem) === 426 && version !== "2" ? ["upgrade", "websocket", "connection", "upgrade"] : [];
}

function serveBody(parts: RestRequestParts, call: GatewayCall, form: RestForm): void {
  const { responder, handler, settings } = parts;
  const { exchange } = responder;
  const decoding = findCompression(findHeader(responder.head.fields, "content-encoding"), settings.compressions);
  const compression = "error" in decoding ? undefined : decoding.compression;
  exchange.listener = new BodyCollector(exchange, call, handler.maxReceiveMessageBytes, (body) => {
    // Over HTTP/2 a head need not say that there is a body.
    const problem = body.length === 0 ? undefined : findBodyProblem(parts);
    if (problem !== undefined) {
      call.fail(problem);
      return;
    }
    call.received(body.length, compression !== undefined);
    if (compression === undefined || body.length === 0) runWith(parts, call, form, body);
    else
      inflate(compression, body, handler.maxReceiveMessageBytes, call).then(
        (plain) => runWith(parts, call, form, plain),
        (error) => call.fail(error),
      );
  });
  call.begin(form);
}

async function inflate(
  compression: Compression,
  body: Uint8Array,
  maxBytes: number,
  call: GatewayCall,
): Promise<Uint8Array> {
  // The body is read as a whole, so that there is room for it; a client that leaves while it waits costs nothing more.
  const waiting = { takeRoom: () => undefined, isCutOff: false };
  call.whenOver(() => {
    waiting.isCutOff = true;
  });
  try {
    return await compression.decompress(body, maxBytes, waiting);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    // Over gRPC a damaged body is the library's fault; here it is the client's.
    throw error.code === Code.ResourceExhausted ? withHttpStatus(error, 413) : invalidArgument(error.rawMessage);
  }
}

function runWith(parts: RestRequestParts, call: GatewayCall, form: RestForm, body: Uint8Array): void {
  if (call.isOver) return;
  try {
    const { binding, responder } = parts;
    const contentType = findHeader(responder.head.fields, "content-type") ?? "";
    const isRaw = isRawBody(binding.method.input, binding.body) && binding.body !== undefined;
    if (isRaw) call.run(bind(parts, form, body, createRawBody(binding, contentType, body)));
    else if (body.length > 0 && isMultipart(responder.head.fields)) {
      const messageOfBody = bindParts(binding, parseMultipart(contentType, body), parts.host.json);
      call.run(bind(parts, form, emptyBody, messageOfBody));
    } else call.run(bindJson(parts, form, body));
  } catch (error) {
    call.fail(error);
  }
}

const emptyBody = new Uint8Array(0);

/** What is made of JSON holds nothing of its bytes, and neither does an error. */
function bindJson(parts: RestRequestParts, form: RestForm, body: Uint8Array) {
  try {
    return bind(parts, form, body);
  } finally {
    freeTaken(body);
  }
}

/** `messageOfBody` has what the body holds, where that is not JSON. */
function bind(
  { binding, host, responder, pathValues, query, settings }: RestRequestParts,
  form: RestForm,
  body: Uint8Array,
  messageOfBody?: Message,
) {
  const { fields } = responder.head;
  const options = { json: host.json, unknownQuery: settings.unknownQuery };
  const header = (name: string) => findHeader(fields, name);
  const request = { pathValues, query: parseQuery(query), body, header };
  const bound = bindRequest(binding, request, options, messageOfBody);
  if (form.system !== undefined) form.system = bound.system;
  if (form.hasIfMatch !== undefined) form.hasIfMatch = bound.hasIfMatch;
  if (binding.method.methodKind === "server_streaming") resumeAfter(bound.message, binding, header("last-event-id"));
  return bound.message;
}

/** A reconnecting EventSource says which event it has seen last: the stream continues after it. */
function resumeAfter(message: Message, binding: RestBinding, lastEventId: string | undefined): void {
  if (lastEventId === undefined) return;
  const field = binding.method.input.fields.find((one) => one.name === "resume_token");
  if (field?.fieldKind === "scalar") reflect(binding.method.input, message).set(field as DescField, lastEventId);
}

function serveLines(parts: RestRequestParts, call: GatewayCall, form: RestForm): void {
  const { responder, handler, host, binding, pathValues } = parts;
  const { exchange } = responder;
  const requests = new LineRequests(call, { host, exchange, maxLineBytes: handler.maxReceiveMessageBytes }, (line) =>
    bindStreamed(binding, pathValues, line, host.json),
  );
  exchange.listener = requests;
  if (call.begin(form)) requests.start();
}

function createForm(parts: RestRequestParts, call: GatewayCall): RestForm | undefined {
  const { binding, responder, settings } = parts;
  const accept = findHeader(responder.head.fields, "accept");
  const isRaw = isRawBody(binding.method.output, binding.responseBody);
  if (binding.method.methodKind !== "server_streaming") {
    const isAcceptable = isRaw || chooseType(accept, ["application/json"]) !== undefined;
    return isAcceptable ? new RestUnaryResponse(parts, call) : undefined;
  }
  if (isRaw) return new RawStreamResponse(parts, call);
  const events = createEventFormat(settings.idOf);
  const lines: StreamFormat[] = [ndjsonFormat, arrayFormat];
  if (settings.defaultStream === "array") lines.reverse();
  const offered = [...lines, events];
  const type = chooseType(
    accept,
    offered.map((one) => one.contentType),
  );
  const format = offered.find((one) => one.contentType === type);
  return format === undefined ? undefined : new RestStreamResponse(parts, call, format);
}

/** The shortest of what the client and the server say. */
function timeoutOf({ responder, host, binding, settings }: RestRequestParts): number | undefined {
  const isUnary = binding.method.methodKind === "unary";
  const asked = requestedTimeout(responder.head.fields);
  return shortest(asked ?? (isUnary ? settings.defaultTimeoutMs : undefined), host.maxTimeoutMs);
}
