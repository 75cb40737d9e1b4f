import type { DescField, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import type { Compression, HttpRequestHead } from "@tercel/grpc/protocols";
import { findCompression } from "../calls/choose-compression.ts";
import type { GatewayCall, ResponseForm } from "../calls/gateway-call.ts";
import { findHeader } from "../calls/read-fields.ts";
import type { BodyReader } from "../calls/requests/body-collector.ts";
import { freeTaken } from "../calls/requests/growing-bytes.ts";
import { bindParts } from "../rules/bind-parts.ts";
import type { SystemParameters } from "../rules/bind-query.ts";
import { bindRequest } from "../rules/bind-request.ts";
import { createRawBody, isRawBody } from "../rules/http-body.ts";
import { withHttpStatus } from "../rules/http-status.ts";
import { parseMultipart } from "../rules/multipart.ts";
import type { RestBinding } from "../rules/rest-binding.ts";
import { findBodyProblem, isMultipart } from "./check-rest-request.ts";
import type { RestRoute } from "./rest-route.ts";

/** The response of a call over REST. Some of what the request says concerns it. */
export type RestResponse = ResponseForm & { system?: SystemParameters; hasIfMatch?: boolean };

const emptyBody = new Uint8Array(0);

/** How the requests with the same head are read. */
export class RestReading {
  readonly route: RestRoute;
  readonly head: HttpRequestHead;
  /** Of the body. */
  readonly compression: Compression | undefined;
  #isFit = false;

  constructor(route: RestRoute, head: HttpRequestHead) {
    this.route = route;
    this.head = head;
    const decoding = findCompression(findHeader(head.fields, "content-encoding"), route.settings.compressions);
    this.compression = "error" in decoding ? undefined : decoding.compression;
  }

  /** What refuses a request that turns out to have a body: over HTTP/2 a head need not say that it has. */
  findProblem(): ConnectError | undefined {
    if (this.#isFit) return undefined;
    const problem = findBodyProblem(this.route, this.head);
    this.#isFit = problem === undefined;
    return problem;
  }
}

/** The request of a call over REST whose body is one value: JSON, the parts of a form, or bytes as they are. */
export class RestRequest implements BodyReader {
  readonly #reading: RestReading;
  readonly #call: GatewayCall;
  readonly #response: RestResponse;
  #message: Message | Promise<Message> | undefined = undefined;

  constructor(reading: RestReading, call: GatewayCall, response: RestResponse) {
    this.#reading = reading;
    this.#call = call;
    this.#response = response;
  }

  read(body: Uint8Array, isOwned: boolean): void {
    try {
      const problem = body.length === 0 ? undefined : this.#reading.findProblem();
      if (problem !== undefined) throw problem;
      const { compression } = this.#reading;
      this.#call.received(body.length, compression !== undefined);
      this.#message =
        compression === undefined || body.length === 0
          ? this.#bind(body, isOwned)
          : this.#inflate(compression, isOwned ? body : new Uint8Array(body)).then((plain) => this.#bind(plain, true));
    } catch (error) {
      this.#call.fail(error);
    }
  }

  run(): void {
    const call = this.#call;
    if (this.#message instanceof Promise) {
      this.#message.then(
        (message) => call.run(message),
        (error) => call.fail(error),
      );
    } else if (this.#message !== undefined) call.run(this.#message);
  }

  async #inflate(compression: Compression, body: Uint8Array): Promise<Uint8Array> {
    // The body is read as a whole, so that there is room for it; a client that leaves while it waits costs nothing more.
    const waiting = { takeRoom: () => undefined, isCutOff: false };
    this.#call.whenOver(() => {
      waiting.isCutOff = true;
    });
    try {
      return await compression.decompress(body, this.#reading.route.handler.maxReceiveMessageBytes, waiting);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      // Over gRPC a damaged body is the library's fault; here it is the client's.
      throw error.code === Code.ResourceExhausted ? withHttpStatus(error, 413) : invalidArgument(error.rawMessage);
    }
  }

  /** Only bytes that a message holds as they are outlive this: of all others nothing is kept. */
  #bind(body: Uint8Array, isOwned: boolean): Message {
    const { route, head } = this.#reading;
    const { binding, host } = route;
    const { fields } = head;
    if (binding.body !== undefined && isRawBody(binding.method.input, binding.body)) {
      const data = isOwned ? body : new Uint8Array(body);
      return this.#bindAll(data, createRawBody(binding, findHeader(fields, "content-type") ?? "", data));
    }
    try {
      if (body.length === 0 || !isMultipart(fields)) return this.#bindAll(body, undefined);
      const parts = parseMultipart(findHeader(fields, "content-type") ?? "", body);
      return this.#bindAll(emptyBody, bindParts(binding, parts, host.json));
    } finally {
      if (isOwned) freeTaken(body);
    }
  }

  /** `messageOfBody` has what the body holds, where that is not JSON. */
  #bindAll(body: Uint8Array, messageOfBody: Message | undefined): Message {
    const { route, head } = this.#reading;
    const { binding, host, pathValues, settings } = route;
    const options = { json: host.json, unknownQuery: settings.unknownQuery };
    const header = (name: string) => findHeader(head.fields, name);
    const request = { pathValues, query: route.parameters, body, header };
    const { message, system, hasIfMatch } = bindRequest(binding, request, options, messageOfBody);
    const response = this.#response;
    if (response.system !== undefined) response.system = system;
    if (response.hasIfMatch !== undefined) response.hasIfMatch = hasIfMatch;
    if (binding.method.methodKind === "server_streaming") resumeAfter(message, binding, header("last-event-id"));
    return message;
  }
}

/** A reconnecting EventSource says which event it has seen last: the stream continues after it. */
function resumeAfter(message: Message, binding: RestBinding, lastEventId: string | undefined): void {
  if (lastEventId === undefined) return;
  const field = binding.method.input.fields.find((one) => one.name === "resume_token");
  if (field?.fieldKind === "scalar") reflect(binding.method.input, message).set(field as DescField, lastEventId);
}
