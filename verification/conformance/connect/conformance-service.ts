import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { appendHeaders, toHeaderMessages } from "./header-messages.ts";
import type {
  BidiStreamRequest,
  ConformanceService,
  ErrorStatus,
  Payload,
  RequestInfo,
  StreamResponseDefinition,
  UnaryResponseDefinition,
} from "./messages.ts";
import type { Schemas } from "./schemas.ts";

type Implementation = Partial<ServiceImpl<ConformanceService>>;

/**
 * ConformanceService as described in the suite's service.proto: every request contains the response to send, and the response
 * describes the received request. `Unimplemented` is omitted intentionally.
 *
 * Headers are sent with the first message, because Connect's handlers cannot send them alone.
 */
export function createConformanceService(schemas: Schemas): Implementation {
  const answers = new Answers(schemas);
  return {
    unary: (request, context) => answers.unary(request.responseDefinition, [request], context),
    idempotentUnary: (request, context) => answers.unary(request.responseDefinition, [request], context),

    async clientStream(requests, context) {
      const received = await collect(requests);
      return answers.unary(received[0]?.responseDefinition, received, context);
    },

    async *serverStream(request, context) {
      const { responseDefinition } = request;
      if (responseDefinition === undefined) return;
      setMetadata(responseDefinition, context);
      yield* answers.rest(responseDefinition, 0, [request], context);
    },

    async *bidiStream(requests, context) {
      const iterator = requests[Symbol.asyncIterator]();
      const first = await iterator.next();
      if (first.done === true) return;
      const { fullDuplex, responseDefinition } = first.value;
      if (responseDefinition !== undefined) setMetadata(responseDefinition, context);
      const unanswered = [first.value];
      let sent = 0;
      if (fullDuplex) sent = yield* answers.turns(responseDefinition, unanswered, iterator, context);
      else for await (const request of { [Symbol.asyncIterator]: () => iterator }) unanswered.push(request);
      if (responseDefinition !== undefined) yield* answers.rest(responseDefinition, sent, unanswered, context);
    },
  };
}

class Answers {
  private readonly schemas: Schemas;

  constructor(schemas: Schemas) {
    this.schemas = schemas;
  }

  /** Returns the response of a call after all its requests, or throws its error. */
  async unary(
    definition: UnaryResponseDefinition | undefined,
    requests: readonly Message[],
    context: HandlerContext,
  ): Promise<{ payload: MessageInit<Payload> }> {
    const requestInfo = this.describe(requests, context);
    if (definition === undefined) return { payload: { requestInfo } };
    setMetadata(definition, context);
    await pause(definition.responseDelayMs, context);
    const { response } = definition;
    if (response.case === "error") throw this.toError(response.value, requestInfo);
    return { payload: { requestInfo, ...(response.case === undefined ? {} : { data: response.value }) } };
  }

  /**
   * Full duplex: sends a response for each request, as long as there are both. `unanswered` has the first request, and at
   * the end the requests that no response has described. Returns the number of responses.
   */
  async *turns(
    definition: StreamResponseDefinition | undefined,
    unanswered: BidiStreamRequest[],
    requests: AsyncIterator<BidiStreamRequest>,
    context: HandlerContext,
  ): AsyncGenerator<{ payload: MessageInit<Payload> }, number> {
    const data = definition?.responseData ?? [];
    let sent = 0;
    while (sent < data.length) {
      const requestInfo =
        sent === 0
          ? this.describe(unanswered, context)
          : create(this.schemas.requestInfo, { requests: this.packAll(unanswered) });
      await pause(definition?.responseDelayMs ?? 0, context);
      yield { payload: { data: data[sent] as Uint8Array, requestInfo } };
      sent++;
      unanswered.length = 0;
      const next = await requests.next();
      if (next.done === true) break;
      unanswered.push(next.value);
    }
    return sent;
  }

  /** Yields the responses from number `sent` on, and then throws the requested error, if any. The first response echoes the request. */
  async *rest(
    definition: StreamResponseDefinition,
    sent: number,
    requests: readonly Message[],
    context: HandlerContext,
  ): AsyncGenerator<{ payload: MessageInit<Payload> }, void> {
    const { responseData, responseDelayMs, error } = definition;
    for (let at = sent; at < responseData.length; at++) {
      await pause(responseDelayMs, context);
      const data = responseData[at] as Uint8Array;
      yield { payload: at === 0 ? { data, requestInfo: this.describe(requests, context) } : { data } };
    }
    if (error === undefined) return;
    throw this.toError(error, responseData.length === 0 ? this.describe(requests, context) : undefined);
  }

  private describe(requests: readonly Message[], context: HandlerContext): RequestInfo {
    const remainingMs = context.timeoutMs();
    return create(this.schemas.requestInfo, {
      requestHeaders: toHeaderMessages(context.requestHeader) as RequestInfo["requestHeaders"],
      requests: this.packAll(requests),
      ...(remainingMs === undefined ? {} : { timeoutMs: BigInt(Math.floor(remainingMs)) }),
    });
  }

  private packAll(messages: readonly Message[]) {
    const { registry } = this.schemas;
    return messages.map((message) => anyPack(registry.getMessage(message.$typeName) as DescMessage, message));
  }

  private toError(status: ErrorStatus, requestInfo: RequestInfo | undefined): ConnectError {
    const error = new ConnectError(status.message ?? "", status.code);
    error.details = status.details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
    if (requestInfo !== undefined) {
      const schema = this.schemas.requestInfo;
      error.details.push({ type: schema.typeName, value: toBinary(schema, requestInfo) });
    }
    return error;
  }
}

type MessageInit<T extends Message> = Partial<Omit<T, "$typeName">>;

function setMetadata(
  definition: Pick<UnaryResponseDefinition, "responseHeaders" | "responseTrailers">,
  context: HandlerContext,
): void {
  appendHeaders(context.responseHeader, definition.responseHeaders);
  appendHeaders(context.responseTrailer, definition.responseTrailers);
}

/** Ends early when the call is over. */
async function pause(ms: number, context: HandlerContext): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal: context.signal });
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}
