import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type CallOptions, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { appendHeaders, toHeaderMessages } from "./header-messages.ts";
import {
  type ClientCompatRequest,
  type ClientResponseResult,
  type Payload,
  streamTypeFullDuplexBidi,
} from "./messages.ts";
import type { Schemas } from "./schemas.ts";

type Result = MessageInitShape<GenMessage<ClientResponseResult>>;
/** A response of any of the service's methods. */
type Response = Message & { payload?: Payload };

/** The four kinds of Connect's client methods, for a method that is only known at run time. */
interface ClientMethods {
  unary(request: Message, options: CallOptions): Promise<Response>;
  server_streaming(request: Message, options: CallOptions): AsyncIterable<Response>;
  client_streaming(requests: AsyncIterable<Message>, options: CallOptions): Promise<Response>;
  bidi_streaming(requests: AsyncIterable<Message>, options: CallOptions): AsyncIterable<Response>;
}

/**
 * Makes the call of a test case and returns its result. An error of the call is part of the result.
 *
 * @throws Error if the case is impossible
 */
export function performCall(schemas: Schemas, transport: Transport, request: ClientCompatRequest): Promise<Result> {
  return new TestCall(schemas, transport, request).perform();
}

class TestCall {
  private readonly request: ClientCompatRequest;
  private readonly method: DescMethod;
  private readonly messages: Message[];
  private readonly client: ReturnType<typeof createClient>;
  private readonly canceller = new AbortController();
  private readonly payloads: Payload[] = [];
  /** The payload of a response without one, because the runner counts payloads to count responses. */
  private readonly emptyPayload: Payload;
  private sent = 0;
  private received = 0;
  private responsesOver = false;
  private wakeSender: (() => void) | undefined;
  private header: Headers | undefined;
  private trailer: Headers | undefined;

  constructor(schemas: Schemas, transport: Transport, request: ClientCompatRequest) {
    this.request = request;
    const service = request.service === undefined ? schemas.service : schemas.registry.getService(request.service);
    const method = service?.methods.find(({ name }) => name === request.method);
    if (service === undefined || method === undefined) {
      throw new Error(`unknown method ${request.service}/${request.method}`);
    }
    this.method = method;
    this.emptyPayload = create(schemas.payload);
    this.client = createClient(service, transport);
    this.messages = request.requestMessages.map((any) => {
      const message = anyUnpack(any, schemas.registry);
      if (message === undefined) throw new Error(`the request's type ${any.typeUrl} is unknown`);
      return message;
    });
  }

  async perform(): Promise<Result> {
    let failure: ConnectError | undefined;
    try {
      await this.call();
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      failure = error;
    }
    const { payloads, messages, sent } = this;
    // An error has headers and trailers together. The runner accepts that if there were no headers before.
    const header = this.header ?? failure?.metadata ?? new Headers();
    const trailer = this.trailer ?? failure?.metadata ?? new Headers();
    return {
      responseHeaders: toHeaderMessages(header),
      responseTrailers: toHeaderMessages(trailer),
      payloads,
      numUnsentRequests: messages.length - sent,
      ...(failure === undefined ? {} : { error: toErrorStatus(failure) }),
    };
  }

  private async call(): Promise<void> {
    const { method, request, canceller } = this;
    const headers = new Headers();
    appendHeaders(headers, request.requestHeaders);
    const options: CallOptions = {
      headers,
      signal: canceller.signal,
      onHeader: (header) => {
        this.header = header;
      },
      onTrailer: (trailer) => {
        this.trailer = trailer;
      },
      ...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
    };
    switch (method.methodKind) {
      case "unary": {
        const message = await this.singleRequest();
        const response = this.invoke("unary")(message, options);
        this.requestsSent();
        this.take(await response);
        return;
      }
      case "server_streaming": {
        const message = await this.singleRequest();
        const responses = this.invoke("server_streaming")(message, options);
        this.requestsSent();
        await this.takeAll(responses);
        return;
      }
      case "client_streaming":
        this.take(await this.invoke("client_streaming")(this.requests(), options));
        return;
      case "bidi_streaming":
        await this.takeAll(this.invoke("bidi_streaming")(this.requests(), options));
        return;
    }
  }

  private invoke<Kind extends keyof ClientMethods>(_kind: Kind): ClientMethods[Kind] {
    // The client's type has no methods that are only known at run time.
    return (this.client as unknown as Record<string, ClientMethods[Kind]>)[
      this.method.localName
    ] as ClientMethods[Kind];
  }

  private async singleRequest(): Promise<Message> {
    const [message, ...others] = this.messages;
    if (message === undefined || others.length > 0) throw new Error(`${this.method.name} takes one request`);
    if (this.request.requestDelayMs > 0) await sleep(this.request.requestDelayMs);
    this.sent = 1;
    return message;
  }

  /** Yields the requests of a streaming call. In full duplex, each waits for the response to the previous one. */
  private async *requests(): AsyncGenerator<Message, void> {
    const isFullDuplex = this.request.streamType === streamTypeFullDuplexBidi;
    for (const message of this.messages) {
      if (this.request.requestDelayMs > 0) await sleep(this.request.requestDelayMs);
      this.sent++;
      yield message;
      if (!isFullDuplex) continue;
      while (this.received < this.sent && !this.responsesOver) {
        await new Promise<void>((resolve) => {
          this.wakeSender = resolve;
        });
      }
    }
    this.requestsSent();
  }

  private requestsSent(): void {
    const { cancel } = this.request;
    if (cancel === undefined) return;
    const { cancelTiming } = cancel;
    switch (cancelTiming.case) {
      case "beforeCloseSend":
        this.canceller.abort();
        break;
      case "afterCloseSendMs":
        setTimeout(() => this.canceller.abort(), cancelTiming.value);
        break;
      case undefined:
        setTimeout(() => this.canceller.abort(), 0);
        break;
      case "afterNumResponses":
        break;
    }
  }

  private async takeAll(responses: AsyncIterable<Response>): Promise<void> {
    try {
      for await (const response of responses) this.take(response);
    } finally {
      this.responsesOver = true;
      this.wakeSender?.();
    }
  }

  private take(response: Response): void {
    this.payloads.push(response.payload ?? this.emptyPayload);
    this.received++;
    const timing = this.request.cancel?.cancelTiming;
    if (timing?.case === "afterNumResponses" && timing.value === this.received) this.canceller.abort();
    this.wakeSender?.();
  }
}

function toErrorStatus({ code, rawMessage, details }: ConnectError) {
  return {
    code,
    message: rawMessage,
    details: details.flatMap((detail) =>
      "type" in detail ? [{ typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value }] : [],
    ),
  };
}
