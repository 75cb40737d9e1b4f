import type { DescMethodStreaming, DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import type { ClientCall } from "../../transport/client-call.ts";

/** Connect's response objects, with headers that are made when somebody looks at them. */

class LazyResponse {
  protected readonly call: ClientCall;
  private madeHeader: Headers | undefined = undefined;
  private madeTrailer: Headers | undefined = undefined;

  constructor(call: ClientCall) {
    this.call = call;
  }

  get service(): DescService {
    return this.call.method.parent;
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
  readonly message: Message;

  constructor(call: ClientCall, message: Message) {
    super(call);
    this.message = message;
  }

  get stream(): false {
    return false;
  }

  get method(): DescMethodUnary {
    return this.call.method as DescMethodUnary;
  }
}

export class LazyStreamResponse extends LazyResponse implements StreamResponse {
  readonly message: AsyncIterable<Message>;

  constructor(call: ClientCall, message: AsyncIterable<Message>) {
    super(call);
    this.message = message;
  }

  get stream(): true {
    return true;
  }

  get method(): DescMethodStreaming {
    return this.call.method as DescMethodStreaming;
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
