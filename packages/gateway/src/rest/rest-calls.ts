import type { ConnectError } from "@connectrpc/connect";
import type { HttpRequestHead } from "@tercel/grpc/protocols";
import type { CallServer } from "../calls/call-server.ts";
import type { CallPlan } from "../calls/call-view.ts";
import { GatewayCall } from "../calls/gateway-call.ts";
import { findHeader, shortest } from "../calls/read-fields.ts";
import { shortestTimeout } from "../calls/requested-timeout.ts";
import { announcedBytes, BodyCollector, type ExpectedBody } from "../calls/requests/body-collector.ts";
import type { Responder } from "../calls/responder.ts";
import { bindStreamed } from "../rules/bind-request.ts";
import { isRawBody } from "../rules/http-body.ts";
import { httpStatusOfError, withHttpStatus } from "../rules/http-status.ts";
import { requestProblem } from "../rules/request-problem.ts";
import { chooseType } from "./accept.ts";
import { findHeadProblem } from "./check-rest-request.ts";
import { sendRestError } from "./rest-error.ts";
import { RestReading, RestRequest, type RestResponse } from "./rest-request.ts";
import type { RestRoute } from "./rest-route.ts";
import { planRestUnary, RestUnaryResponse } from "./rest-unary-response.ts";
import { LineRequests } from "./streams/line-requests.ts";
import { RawStreamResponse } from "./streams/raw-stream-response.ts";
import { RestStreamResponse } from "./streams/rest-stream-response.ts";
import {
  arrayFormat,
  createEventFormat,
  endOfEventsId,
  ndjsonFormat,
  type StreamFormat,
} from "./streams/stream-formats.ts";

type CreateResponse = (responder: Responder, call: GatewayCall) => RestResponse;

/** Serves the requests of one head that a route of the REST API has matched. */
export class RestCalls implements CallServer {
  readonly #route: RestRoute;
  readonly #plan: CallPlan;
  readonly #expected: ExpectedBody;
  readonly #reading: RestReading;
  /** The client has seen the end of the stream. */
  readonly #isAfterLastEvent: boolean;
  /** Undefined where the client accepts nothing of what there is. */
  readonly #createResponse: CreateResponse | undefined;
  readonly #problem: ConnectError | undefined;

  constructor(route: RestRoute, head: HttpRequestHead) {
    const { host, handler, binding, settings } = route;
    const { fields } = head;
    const timeout = shortestTimeout(fields);
    const isUnary = binding.method.methodKind === "unary";
    const asked = timeout.timeoutMs ?? (isUnary ? settings.defaultTimeoutMs : undefined);
    this.#route = route;
    this.#plan = {
      ...{ host, handler, protocolName: "rest", responseCodec: handler.codecs.json.response },
      timeoutMs: shortest(asked, host.maxTimeoutMs),
    };
    this.#expected = { maxBytes: handler.maxReceiveMessageBytes, announcedBytes: announcedBytes(fields) };
    this.#reading = new RestReading(route, head);
    this.#isAfterLastEvent =
      binding.method.methodKind === "server_streaming" && findHeader(fields, "last-event-id") === endOfEventsId;
    this.#createResponse = responsesOf(route, fields);
    this.#problem =
      findHeadProblem(route, head) ??
      (timeout.error === undefined ? undefined : requestProblem("INVALID_TIMEOUT", [], timeout.error.rawMessage));
  }

  get isUsable(): boolean {
    return this.#problem === undefined && this.#createResponse !== undefined && !this.#isAfterLastEvent;
  }

  serve(responder: Responder): void {
    const { head } = responder;
    if (this.#problem !== undefined) {
      sendRestError(responder, this.#problem, this.#route, { fields: upgradeFields(head, this.#problem) });
    } else if (this.#isAfterLastEvent) {
      // An EventSource reconnects whatever it was told, unless it gets this.
      responder.sendHead(204, []);
      responder.end();
    } else if (this.#createResponse === undefined) {
      const problem = requestProblem("NOT_ACCEPTABLE", [], "no acceptable response type");
      sendRestError(responder, withHttpStatus(problem, 406), this.#route);
    } else this.#call(responder, this.#createResponse);
  }

  #call(responder: Responder, createResponse: CreateResponse): void {
    const { exchange } = responder;
    const call = new GatewayCall(this.#plan, exchange);
    const response = createResponse(responder, call);
    if (this.#route.binding.method.methodKind === "client_streaming") {
      const requests = this.#createLineRequests(responder, call);
      exchange.listener = requests;
      if (call.begin(response)) requests.start();
      return;
    }
    const request = new RestRequest(this.#reading, call, response);
    exchange.listener = new BodyCollector(exchange, call, this.#expected, request);
    call.begin(response);
  }

  #createLineRequests({ exchange }: Responder, call: GatewayCall): LineRequests {
    const { host, binding, pathValues } = this.#route;
    const parts = { host, exchange, maxLineBytes: this.#expected.maxBytes };
    return new LineRequests(call, parts, (line) => bindStreamed(binding, pathValues, line, host.json));
  }
}

/** HTTP/2 has no upgrade, and no place for these fields. */
function upgradeFields({ version }: HttpRequestHead, problem: ConnectError): readonly string[] {
  return httpStatusOfError(problem) === 426 && version !== "2" ? ["upgrade", "websocket", "connection", "upgrade"] : [];
}

function responsesOf(route: RestRoute, fields: readonly string[]): CreateResponse | undefined {
  const { binding, settings } = route;
  const accept = findHeader(fields, "accept");
  const isRaw = isRawBody(binding.method.output, binding.responseBody);
  if (binding.method.methodKind !== "server_streaming") {
    if (!isRaw && chooseType(accept, ["application/json"]) === undefined) return undefined;
    const writing = planRestUnary(route, fields);
    return (responder, call) => new RestUnaryResponse(writing, responder, call);
  }
  if (isRaw) return (responder, call) => new RawStreamResponse(route, responder, call);
  const events = createEventFormat(settings.idOf);
  const lines: StreamFormat[] = [ndjsonFormat, arrayFormat];
  if (settings.defaultStream === "array") lines.reverse();
  const offered = [...lines, events];
  const type = chooseType(
    accept,
    offered.map((one) => one.contentType),
  );
  const format = offered.find((one) => one.contentType === type);
  if (format === undefined) return undefined;
  return (responder, call) => new RestStreamResponse(route, responder, call, format);
}
