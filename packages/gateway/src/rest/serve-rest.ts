import type { ConnectError } from "@connectrpc/connect";
import type { HttpRequestHead } from "@tercel/grpc/protocols";
import { findCompression } from "../calls/choose-compression.ts";
import { GatewayCall } from "../calls/gateway-call.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import { requestedTimeout } from "../calls/requested-timeout.ts";
import { announcedBytes, BodyCollector } from "../calls/requests/body-collector.ts";
import { bindStreamed } from "../rules/bind-request.ts";
import { isRawBody } from "../rules/http-body.ts";
import { httpStatusOfError, withHttpStatus } from "../rules/http-status.ts";
import { requestProblem } from "../rules/request-problem.ts";
import { chooseType } from "./accept.ts";
import { findHeadProblem } from "./check-rest-request.ts";
import { LineRequests } from "./line-requests.ts";
import { RawStreamResponse } from "./raw-stream-response.ts";
import { sendRestError } from "./rest-error.ts";
import { RestRequest, type RestRequestParts, type RestResponse } from "./rest-request.ts";
import { RestStreamResponse } from "./rest-stream-response.ts";
import { RestUnaryResponse } from "./rest-unary-response.ts";
import { arrayFormat, createEventFormat, endOfEventsId, ndjsonFormat, type StreamFormat } from "./stream-formats.ts";

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
    // An EventSource always reconnects; only status 204 stops it.
    responder.sendHead(204, []);
    responder.end();
    return;
  }
  const plan = {
    ...{ host, handler, protocolName: "rest", responseCodec: handler.codecs.json.response },
    timeoutMs: timeoutOf(parts),
  };
  const call = new GatewayCall(plan, exchange);
  const form = createForm(parts, call);
  if (form === undefined) {
    const problem = requestProblem("NOT_ACCEPTABLE", [], "no acceptable response type");
    sendRestError(responder, withHttpStatus(problem, 406), parts);
    return;
  }
  if (kind === "client_streaming") serveLines(parts, call, form);
  else serveBody(parts, call, form);
}

/** HTTP/2 has no upgrade and does not allow these fields (RFC 9113 §8.2.2). */
function upgradeFields({ version }: HttpRequestHead, problem: ConnectError): readonly string[] {
  return httpStatusOfError(problem) === 426 && version !== "2" ? ["upgrade", "websocket", "connection", "upgrade"] : [];
}

function serveBody(parts: RestRequestParts, call: GatewayCall, form: RestResponse): void {
  const { responder, handler, settings } = parts;
  const { exchange } = responder;
  const { fields } = responder.head;
  const decoding = findCompression(findHeader(fields, "content-encoding"), settings.compressions);
  const compression = "error" in decoding ? undefined : decoding.compression;
  const expected = { maxBytes: handler.maxReceiveMessageBytes, announcedBytes: announcedBytes(fields) };
  exchange.listener = new BodyCollector(exchange, call, expected, new RestRequest(parts, call, form, compression));
  call.begin(form);
}

function serveLines(parts: RestRequestParts, call: GatewayCall, form: RestResponse): void {
  const { responder, handler, host, binding, pathValues } = parts;
  const { exchange } = responder;
  const requests = new LineRequests(call, { host, exchange, maxLineBytes: handler.maxReceiveMessageBytes }, (line) =>
    bindStreamed(binding, pathValues, line, host.json),
  );
  exchange.listener = requests;
  if (call.begin(form)) requests.start();
}

function createForm(parts: RestRequestParts, call: GatewayCall): RestResponse | undefined {
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

/** The client's timeout or the default, limited by the server's maximum. */
function timeoutOf({ responder, host, binding, settings }: RestRequestParts): number | undefined {
  const isUnary = binding.method.methodKind === "unary";
  const asked = requestedTimeout(responder.head.fields);
  return shortest(asked ?? (isUnary ? settings.defaultTimeoutMs : undefined), host.maxTimeoutMs);
}
