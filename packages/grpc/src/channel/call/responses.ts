import type { DescMethod, DescMethodStreaming, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { ConnectError, StreamResponse, UnaryResponse } from "@connectrpc/connect";
import type { ClientCall } from "../../transport/client/client-call.ts";

/** A response that has begun. */
export interface OpenResponse {
  /** The call is over. */
  complete(error: ConnectError | undefined): void;
}

/** What a caller is handed as the response: Connect's objects, or those of calls whose messages are bytes. */
export interface ResponseMaker {
  unary(call: ClientCall, message: object): object;
  stream(call: ClientCall, messages: AsyncIterable<object>): OpenResponse;
}

/** Connect's response objects, with headers that are created when they are read. */
export const typedResponses: ResponseMaker = {
  unary: (call, message) => new LazyUnaryResponse(call, message as Message),
  stream: (call, messages) => new LazyStreamResponse(call, messages as AsyncIterable<Message>),
};

class LazyResponse implements OpenResponse {
  protected readonly call: ClientCall;
  private madeHeader: Headers | undefined = undefined;
  private madeTrailer: Headers | undefined = undefined;

  constructor(call: ClientCall) {
    this.call = call;
  }

  get service(): DescService {
    return this.desc.parent;
  }

  protected get desc(): DescMethod {
    // Calls without a descriptor have responses of their own.
    return this.call.method.desc as DescMethod;
  }

  get header(): Headers {
    this.madeHeader ??= this.call.responseHeader;
    return this.madeHeader;
  }

  /** What `header` would be made of, so that whoever hands it on needs no Headers object. Undefined once there is one: it may have been changed. */
  get headFields(): readonly string[] | undefined {
    return this.madeHeader === undefined ? this.call.headFields : undefined;
  }

  /** The same for `trailer`; undefined also while the call runs. */
  get trailerFields(): readonly string[] | undefined {
    return this.madeTrailer === undefined && this.call.isOver ? this.call.trailerFields : undefined;
  }

  /** Filled when the call ends: interceptors that copy a response take this object early, and it is read late. */
  get trailer(): Headers {
    this.madeTrailer ??= this.call.isOver ? this.call.responseTrailer : new Headers();
    return this.madeTrailer;
  }

  complete(): void {
    const made = this.madeTrailer;
    if (made === undefined) return;
    this.call.responseTrailer.forEach((value, name) => {
      made.append(name, value);
    });
  }
}

class LazyUnaryResponse extends LazyResponse implements UnaryResponse {
  readonly message: Message;

  constructor(call: ClientCall, message: Message) {
    super(call);
    this.message = message;
  }

  get stream(): false {
    return false;
  }

  get method(): DescMethodUnary {
    return this.desc as DescMethodUnary;
  }
}

class LazyStreamResponse extends LazyResponse implements StreamResponse {
  readonly message: AsyncIterable<Message>;

  constructor(call: ClientCall, message: AsyncIterable<Message>) {
    super(call);
    this.message = message;
  }

  get stream(): true {
    return true;
  }

  get method(): DescMethodStreaming {
    return this.desc as DescMethodStreaming;
  }
}

/** Interceptors spread responses into new ones, which takes properties that are the object's own. */
export function spreadable<T extends UnaryResponse | StreamResponse>(response: T): T {
  return {
    stream: response.stream,
    service: response.service,
    method: response.method,
    message: response.message,
    get header() {
      return response.header;
    },
    get trailer() {
      return response.trailer;
    },
  } as T;
}
