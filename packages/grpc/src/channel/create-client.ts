import type {
  DescMessage,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  createClient as createConnectClient,
  makeAnyClient,
  type StreamResponse,
  type Transport,
} from "@connectrpc/connect";
import { traceCaller } from "../call/caller-stack.ts";

type StreamingMethod<I extends DescMessage, O extends DescMessage> =
  | DescMethodServerStreaming<I, O>
  | DescMethodBiDiStreaming<I, O>;

/**
 * Connect's `createClient`, for any transport and with the same types, whose streams cost less: a received message goes from the
 * transport to the application without a promise in between, of which Connect's client makes three.
 */
export function createClient<Service extends DescService>(service: Service, transport: Transport): Client<Service> {
  const client = createConnectClient(service, transport) as Record<string, unknown>;
  return makeAnyClient(service, (method) => {
    switch (method.methodKind) {
      case "server_streaming":
        return (request: MessageInitShape<DescMessage>, options?: CallOptions) =>
          call(transport, method, new OneMessage(request), options);
      case "bidi_streaming":
        return (requests: AsyncIterable<MessageInitShape<DescMessage>>, options?: CallOptions) =>
          call(transport, method, requests, options);
      default:
        return client[method.localName] as (input: never) => unknown;
    }
  }) as Client<Service>;
}

function call<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  method: StreamingMethod<I, O>,
  requests: AsyncIterable<MessageInitShape<I>>,
  options: CallOptions | undefined,
): AsyncIterable<MessageShape<O>> {
  const { signal, timeoutMs, headers, contextValues } = options ?? {};
  const response = transport.stream(method, signal, timeoutMs, headers, requests, contextValues);
  return new Responses(response, options);
}

/** The responses of one call. Leaving a loop over them ends it, which Connect's client leaves to the call's signal. */
class Responses<I extends DescMessage, O extends DescMessage> implements AsyncIterable<MessageShape<O>> {
  private readonly response: Promise<StreamResponse<I, O>>;
  private readonly options: CallOptions | undefined;
  /** Undefined until a message has been requested and the response has begun. */
  private messages: AsyncIterator<MessageShape<O>> | undefined = undefined;
  private opened: Promise<AsyncIterator<MessageShape<O>>> | undefined = undefined;

  constructor(response: Promise<StreamResponse<I, O>>, options: CallOptions | undefined) {
    this.response = response;
    this.options = options;
    // A failure is reported to the reader of messages; without a reader, it must not end the process.
    response.catch(() => {});
  }

  [Symbol.asyncIterator](): AsyncIterator<MessageShape<O>> {
    return { next: () => this.next(), return: () => this.leave() };
  }

  private next(): Promise<IteratorResult<MessageShape<O>>> {
    return this.messages === undefined ? this.first() : this.messages.next();
  }

  /** As `next`, before the response has begun. */
  private async first(): Promise<IteratorResult<MessageShape<O>>> {
    this.opened ??= this.open();
    let messages: AsyncIterator<MessageShape<O>>;
    try {
      messages = await this.opened;
    } catch (error) {
      traceCaller(error);
      throw error;
    }
    return messages.next();
  }

  private async leave(): Promise<IteratorResult<MessageShape<O>>> {
    const { messages } = this;
    this.messages = ended;
    if (messages !== undefined) await messages.return?.();
    // Before the response has begun, its iterator does not exist yet.
    else this.response.then(({ message }) => message[Symbol.asyncIterator]().return?.()).catch(() => {});
    return { done: true, value: undefined };
  }

  private async open(): Promise<AsyncIterator<MessageShape<O>>> {
    const { onHeader, onTrailer } = this.options ?? {};
    try {
      const response = await this.response;
      onHeader?.(response.header);
      const messages = response.message[Symbol.asyncIterator]();
      this.messages =
        onTrailer === undefined ? messages : notifyingTrailer(messages, () => onTrailer(response.trailer));
    } catch (error) {
      this.messages = ended;
      throw error;
    }
    return this.messages;
  }
}

/** Calls `notify` once, before the stream ends; not when the stream fails, because its error carries the trailer, nor when the reader leaves it. */
function notifyingTrailer<T>(messages: AsyncIterator<T>, notify: () => void): AsyncIterator<T> {
  let isNotified = false;
  return {
    async next() {
      try {
        const result = await messages.next();
        if (result.done === true && !isNotified) {
          isNotified = true;
          notify();
        }
        return result;
      } catch (error) {
        isNotified = true;
        throw error;
      }
    },
    async return() {
      await messages.return?.();
      return { done: true, value: undefined };
    },
  };
}

const ended: AsyncIterator<never> = { next: () => Promise.resolve({ done: true, value: undefined }) };

/** The one request of a call that is answered by a stream. */
class OneMessage<T> implements AsyncIterableIterator<T, undefined> {
  private message: T | undefined;

  constructor(message: T) {
    this.message = message;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const { message } = this;
    this.message = undefined;
    return Promise.resolve(message === undefined ? { done: true, value: undefined } : { done: false, value: message });
  }

  /** Connect's own transports refuse an iterator without it. */
  throw(reason: unknown): Promise<IteratorResult<T, undefined>> {
    this.message = undefined;
    return Promise.reject(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
