import type { DescMethod, DescMethodStreaming, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import type { ClientCall } from "../transport/client-call.ts";

/** Connect's response objects, with headers that are made when somebody looks at them. */

class LazyResponse {
  readonly service: DescService;
  private readonly call: ClientCall;
  private madeHeader: Headers | undefined = undefined;
  private madeTrailer: Headers | undefined = undefined;

  constructor(method: DescMethod, call: ClientCall) {
    this.service = method.parent;
    this.call = call;
  }

  get header(): Headers {
    this.madeHeader ??= this.call.responseHeader;
    return this.madeHeader;
  }

  /** Filled when the call ends: interceptors that copy a response take this object early, and it is read late. */
  get trailer(): Headers {
    this.madeTrailer ??= this.call.isOver ? this.call.responseTrailer : new Headers();
    return this.madeTrailer;
  }

  /** The call is over. */
  complete(): void {
    const made = this.madeTrailer;
    if (made === undefined) return;
    this.call.responseTrailer.forEach((value, name) => {
      made.append(name, value);
    });
  }
}

export class LazyUnaryResponse extends LazyResponse implements UnaryResponse {
  readonly stream = false;
  readonly method: DescMethodUnary;
  readonly message: Message;

  constructor(method: DescMethodUnary, call: ClientCall, message: Message) {
    super(method, call);
    this.method = method;
    this.message = message;
  }
}

export class LazyStreamResponse extends LazyResponse implements StreamResponse {
  readonly stream = true;
  readonly method: DescMethodStreaming;
  readonly message: AsyncIterable<Message>;

  constructor(method: DescMethodStreaming, call: ClientCall, message: AsyncIterable<Message>) {
    super(method, call);
    this.method = method;
    this.message = message;
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
