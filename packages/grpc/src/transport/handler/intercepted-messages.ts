import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { ContextValues, MethodImplSpec } from "@connectrpc/connect";
import type { CallContext } from "../../call/context/handler-context.ts";

// What a server's interceptors are handed: Connect's request and response, with headers and signal created when they are read.
//
// Hooks only read them, so that for these the accessors of a class will do. Interceptors spread these objects into new ones, so there the
// accessors have to be the objects' own. Accessors of an object literal are new functions for each object, which makes V8 treat it as a
// dictionary and costs four times as much as defining shared ones.

/** A symbol, so that it cannot collide with other names. */
const context = Symbol("context");

interface WithContext {
  readonly [context]: CallContext;
}

const requestHeader: PropertyDescriptor & ThisType<WithContext> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[context].requestHeader;
  },
};

const requestSignal: PropertyDescriptor & ThisType<WithContext> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[context].signal;
  },
};

const responseHeader: PropertyDescriptor & ThisType<WithContext> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[context].responseHeader;
  },
};

const responseTrailer: PropertyDescriptor & ThisType<WithContext> = {
  enumerable: true,
  configurable: true,
  get() {
    return this[context].responseTrailer;
  },
};

export class HandledRequest {
  readonly stream: boolean;
  readonly requestMethod: string;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly message: Message | AsyncIterable<Message>;
  readonly url: string;
  readonly contextValues: ContextValues;
  readonly [context]: CallContext;
  declare readonly header: Headers;
  declare readonly signal: AbortSignal;

  constructor(spec: MethodImplSpec, call: CallContext, message: Message | AsyncIterable<Message>) {
    this.stream = spec.kind !== "unary";
    this.requestMethod = call.requestMethod;
    this.service = spec.method.parent;
    this.method = spec.method;
    this.message = message;
    this.url = call.url;
    this.contextValues = call.values;
    this[context] = call;
    Object.defineProperty(this, "header", requestHeader);
    Object.defineProperty(this, "signal", requestSignal);
  }
}

export class HandledResponse {
  readonly stream: boolean;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly message: Message | AsyncIterable<Message>;
  readonly [context]: CallContext;
  declare readonly header: Headers;
  declare readonly trailer: Headers;

  constructor(spec: MethodImplSpec, call: CallContext, message: Message | AsyncIterable<Message>) {
    this.stream = spec.kind !== "unary";
    this.service = spec.method.parent;
    this.method = spec.method;
    this.message = message;
    this[context] = call;
    Object.defineProperty(this, "header", responseHeader);
    Object.defineProperty(this, "trailer", responseTrailer);
  }
}

export class HookedRequest {
  readonly stream: boolean;
  readonly service: DescService;
  readonly method: DescMethod;
  readonly message: Message | AsyncIterable<Message>;
  readonly contextValues: ContextValues;
  private readonly call: CallContext;

  constructor(spec: MethodImplSpec, call: CallContext, message: Message | AsyncIterable<Message>) {
    this.stream = spec.kind !== "unary";
    this.service = spec.method.parent;
    this.method = spec.method;
    this.message = message;
    this.contextValues = call.values;
    this.call = call;
  }

  get requestMethod(): string {
    return this.call.requestMethod;
  }

  get url(): string {
    return this.call.url;
  }

  get header(): Headers {
    return this.call.requestHeader;
  }

  get signal(): AbortSignal {
    return this.call.signal;
  }
}

/** Of the response hooks see its metadata only. */
export class HookedResponse {
  private readonly call: CallContext;

  constructor(call: CallContext) {
    this.call = call;
  }

  get header(): Headers {
    return this.call.responseHeader;
  }

  get trailer(): Headers {
    return this.call.responseTrailer;
  }
}
