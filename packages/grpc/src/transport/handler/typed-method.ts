import type { DescMethod, Message } from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec } from "@connectrpc/connect";
import { CallArrivals } from "../../call/call-arrivals.ts";
import { CallContext } from "../../call/context/handler-context.ts";
import { SchemaCodec } from "../../call/messages/message-codec.ts";
import type { Codec } from "../../codec/index.ts";
import type { HookChain } from "../../hooks/call-hook.ts";
import { asOutermost, groupHooks, hookChain } from "../../hooks/hooked-interceptor.ts";
import { failed, type HandledCall, sendResponse, sendResponses } from "./handled-call.ts";
import { HookedInvocation } from "./hooked-invocation.ts";
import { invokeIntercepted } from "./invoke-intercepted.ts";
import { type MessageCodecs, type MethodHandler, unknownResponseBytes } from "./method-handler.ts";
import { callHandler, type TypedHandler } from "./typed-handler.ts";

/** What a server has decided about a method before its first call. */
export interface TypedMethodSettings {
  readonly codecs: Readonly<Record<"proto" | "json", Codec>>;
  readonly interceptors: readonly Interceptor[];
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
}

/** A method with a descriptor, whose handler takes and returns messages: Connect's API. */
export class TypedMethod implements MethodHandler, TypedHandler {
  readonly spec: MethodImplSpec;
  readonly desc: DescMethod;
  readonly codecs: MethodHandler["codecs"];
  readonly maxReceiveMessageBytes: number;
  readonly maxSendMessageBytes: number;
  readonly requestIsStream: boolean;
  readonly #responseIsStream: boolean;
  readonly interceptors: readonly Interceptor[];
  readonly hooks: HookChain | undefined;
  readonly arrivals: CallArrivals | undefined;
  expectedResponseBytes = unknownResponseBytes;

  constructor(spec: MethodImplSpec, settings: TypedMethodSettings) {
    const { codecs, maxReceiveMessageBytes, maxSendMessageBytes } = settings;
    const interceptors = groupHooks(settings.interceptors);
    const [outermost, ...others] = interceptors;
    this.spec = spec;
    this.desc = spec.method;
    this.codecs = { proto: codecsOf(spec.method, codecs.proto), json: codecsOf(spec.method, codecs.json) };
    this.maxReceiveMessageBytes = maxReceiveMessageBytes;
    this.maxSendMessageBytes = maxSendMessageBytes;
    this.requestIsStream = spec.kind === "client_streaming" || spec.kind === "bidi_streaming";
    this.#responseIsStream = spec.kind === "server_streaming" || spec.kind === "bidi_streaming";
    this.interceptors = outermost === undefined ? [] : [asOutermost(outermost), ...others];
    this.hooks = interceptors.length === 1 ? hookChain(interceptors[0]) : undefined;
    this.arrivals = CallArrivals.of(interceptors);
  }

  /** Runs the handler, through the interceptors where there are any, and sends what it answers. */
  invoke(call: HandledCall, input: Message | AsyncIterable<Message>): void {
    const context = new CallContext(call, this.desc);
    call.metadata = context;
    if (this.hooks !== undefined) {
      new HookedInvocation(this, call, context, input).run();
      return;
    }
    if (this.interceptors.length > 0) {
      invokeIntercepted(this, call, context, input).then(
        () => call.handlerEnded(),
        (error) => failed(call, error),
      );
      return;
    }
    try {
      const output = callHandler(this, input, context);
      if (this.#responseIsStream) sendResponses(call, output as AsyncIterable<object>);
      else sendResponse(call, output as object | Promise<object>);
    } catch (error) {
      failed(call, error);
    }
  }
}

function codecsOf(method: DescMethod, codec: Codec): MessageCodecs {
  return { request: new SchemaCodec(codec, method.input), response: new SchemaCodec(codec, method.output) };
}
