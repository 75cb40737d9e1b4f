import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "@tercel/grpc/errors";
import { type GatewayHost, messagePrefixBytes } from "@tercel/grpc/protocols";
import { GatewayCall, type ResponseForm } from "../calls/gateway-call.ts";
import { shortest } from "../calls/read-fields.ts";
import { asInvalidArgument } from "../calls/request-codec.ts";
import { shortestTimeout } from "../calls/requested-timeout.ts";
import { EnvelopedRequests } from "../calls/requests/enveloped-requests.ts";
import { JsonMessages, jsonMessageOverhead } from "../calls/requests/json-messages.ts";
import type { RestSettings } from "../rest/rest-settings.ts";
import { parseFieldBlock } from "../rules/field-block.ts";
import { JsonResponses } from "./json-responses.ts";
import { SocketKeepalive } from "./keepalive.ts";
import type { MessageSocket, MessageSocketListener } from "./message-socket.ts";
import { headFlag, ProtoResponses } from "./proto-responses.ts";
import { SocketExchange, type SocketRequest } from "./socket-exchange.ts";
import type { SocketRoute } from "./socket-route.ts";
import type { SocketFormat } from "./subprotocols.ts";

/** A WebSocket that was asked for, and the method that its path leads to. */
export interface SocketCallParts {
  readonly host: GatewayHost;
  readonly settings: RestSettings;
  readonly route: SocketRoute;
  readonly request: SocketRequest;
  readonly format: SocketFormat;
}

const headTimeoutMs = 10_000;
const policyViolation = 1008;

/** Calls a streaming method over a WebSocket that has just opened. */
export function serveWebSocket(parts: SocketCallParts, socket: MessageSocket): MessageSocketListener {
  return parts.format === "json" ? new JsonSocketCall(parts, socket) : new ProtoSocketCall(parts, socket);
}

/** What both forms have in common: one call, from the opening of the connection to its closing. */
abstract class SocketCall implements MessageSocketListener {
  protected readonly parts: SocketCallParts;
  protected readonly socket: MessageSocket;
  protected call: GatewayCall | undefined = undefined;
  readonly #keepalive: SocketKeepalive;
  /** Of the head. */
  #problem: ConnectError | undefined = undefined;

  constructor(parts: SocketCallParts, socket: MessageSocket) {
    this.parts = parts;
    this.socket = socket;
    this.#keepalive = new SocketKeepalive(
      parts.host.clock,
      () => socket.ping(),
      () => this.#cutOff("the client no longer answers"),
    );
  }

  abstract onRequest(bytes: Uint8Array, isText: boolean): void;

  onMessage(bytes: Uint8Array, isText: boolean): void {
    this.#keepalive.onMessage();
    if (this.call?.isOver !== true) this.onRequest(bytes, isText);
  }

  onControl(): void {
    if (this.#keepalive.onControl()) return;
    this.refuse(new ConnectError("too many pings", Code.ResourceExhausted));
    // Those that still come are not read.
    this.socket.pause();
  }

  onWritable(): void {
    this.call?.onWritable();
  }

  onViolation(reason: string): void {
    this.call?.onClose(`the client broke the WebSocket protocol: ${reason}`);
  }

  onClose(): void {
    this.#keepalive.stop();
    this.call?.onClose("the client closed the WebSocket");
  }

  /** Ends the call, or the connection where there is none yet. */
  protected refuse(error: ConnectError): void {
    if (this.call === undefined) this.socket.close(policyViolation, error.rawMessage.slice(0, maxReasonLength));
    else this.call.fail(error);
  }

  protected createCall(exchange: SocketExchange): GatewayCall {
    const { host, route, format } = this.parts;
    const timeout = shortestTimeout(exchange.head.fields);
    this.#problem = timeout.error;
    const plan = {
      ...{ host, handler: route.handler, protocolName: "websocket" },
      responseCodec: route.handler.codecs[format].response,
      timeoutMs: shortest(timeout.timeoutMs, host.maxTimeoutMs),
    };
    return new GatewayCall(plan, exchange);
  }

  /** Call once. False: the call has ended already. */
  protected begin(call: GatewayCall, responses: ResponseForm): boolean {
    if (!call.begin(responses)) return false;
    if (this.#problem !== undefined) call.fail(this.#problem);
    return !call.isOver;
  }

  #cutOff(reason: string): void {
    this.call?.onClose(reason);
    this.socket.terminate();
  }
}

/** The reason of a close frame has 123 bytes at most. */
const maxReasonLength = 100;

/** Text messages, each of them JSON. An empty one says that no more come. */
class JsonSocketCall extends SocketCall {
  readonly #exchange: SocketExchange;
  readonly #requests: JsonMessages | undefined;

  constructor(parts: SocketCallParts, socket: MessageSocket) {
    super(parts, socket);
    const { host, route, request } = parts;
    const exchange = new SocketExchange(request, socket);
    const call = this.createCall(exchange);
    this.call = call;
    this.#exchange = exchange;
    const takesStream = route.method.methodKind !== "server_streaming";
    this.#requests = takesStream
      ? new JsonMessages(call, { host, flow: exchange }, (text) => route.decode(text))
      : undefined;
    if (!this.begin(call, new JsonResponses(parts, call, socket))) return;
    if (this.#requests !== undefined) this.#requests.start();
    else if (route.isRequestInPath) this.#run(new Uint8Array(0));
  }

  onRequest(bytes: Uint8Array, isText: boolean): void {
    if (!isText) this.refuse(invalidArgument("a binary message; messages of tercel.v1+json are text"));
    else if (this.#requests !== undefined) {
      if (bytes.length === 0) this.#requests.end();
      else {
        this.#exchange.received(bytes.length + jsonMessageOverhead);
        this.#requests.push(bytes);
      }
    } else if (bytes.length > 0) this.#onOnlyRequest(bytes);
  }

  #hasRequest = false;

  /** Of a method that takes one. An empty message after it is a half-close that the client need not send. */
  #onOnlyRequest(text: Uint8Array): void {
    if (this.#hasRequest) {
      this.refuse(invalidArgument("the method takes one message, but more came"));
      return;
    }
    this.call?.received(text.length, false);
    this.#run(text);
  }

  #run(text: Uint8Array): void {
    this.#hasRequest = true;
    try {
      this.call?.run(this.parts.route.decode(text));
    } catch (error) {
      this.call?.fail(error);
    }
  }
}

/** Binary messages with what gRPC frames, after one with the headers. An empty one says that no more come. */
class ProtoSocketCall extends SocketCall {
  readonly #cancelHeadTimeout: () => void;
  #exchange: SocketExchange | undefined = undefined;
  #requests: EnvelopedRequests | undefined = undefined;

  constructor(parts: SocketCallParts, socket: MessageSocket) {
    super(parts, socket);
    this.#cancelHeadTimeout = parts.host.clock.after(headTimeoutMs, () => {
      this.refuse(new ConnectError("no headers came", Code.DeadlineExceeded));
    });
  }

  onRequest(bytes: Uint8Array, isText: boolean): void {
    if (isText) this.refuse(invalidArgument("a text message; messages of tercel.v1+proto are binary"));
    else if (this.#requests === undefined) this.#onHead(bytes);
    else if (bytes.length === 0) this.#requests.onEnd();
    else {
      this.#exchange?.received(bytes.length);
      this.#requests.onData(bytes);
    }
  }

  override onClose(): void {
    this.#cancelHeadTimeout();
    super.onClose();
  }

  #onHead(bytes: Uint8Array): void {
    const isHead = bytes.length >= messagePrefixBytes && bytes[0] === headFlag;
    const fields = isHead
      ? parseFieldBlock(bytes.subarray(messagePrefixBytes))
      : { problem: "the headers are missing" };
    if ("problem" in fields) {
      this.refuse(invalidArgument(fields.problem));
      return;
    }
    this.#cancelHeadTimeout();
    const { host, route, request } = this.parts;
    const { handler } = route;
    const head = { ...request.head, fields: [...request.head.fields, ...fields.filter(isMetadata)] };
    const exchange = new SocketExchange({ ...request, head }, this.socket);
    const call = this.createCall(exchange);
    this.call = call;
    this.#exchange = exchange;
    const codec = asInvalidArgument(handler.codecs.proto.request);
    this.#requests = new EnvelopedRequests(call, exchange, { host, handler, codec, compression: undefined });
    if (this.begin(call, new ProtoResponses(host, handler, call, this.socket))) this.#requests.start();
  }
}

/** What a page must not set although it comes in a message: the browser sets these, and what reads them trusts it. */
const ofBrowser: ReadonlySet<string> = new Set(["cookie", "origin", "host", "referer", "user-agent"]);

function isMetadata(_: string, at: number, fields: readonly string[]): boolean {
  const name = fields[at - (at % 2)] as string;
  return !ofBrowser.has(name) && !/^(sec-|proxy-|x-forwarded-|forwarded$|x-real-ip$)/.test(name);
}
