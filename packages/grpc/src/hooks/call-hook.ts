import type { AsyncResource } from "node:async_hooks";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Code, StreamRequest, StreamResponse, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { createAsyncScope } from "./async-scope.ts";
import type { OnAttempt } from "./attempt-observer.ts";
import type { RunStep } from "./watch-messages.ts";

export type CallRequest = UnaryRequest | StreamRequest;
export type CallResponse = UnaryResponse | StreamResponse;

/** A response as far as hooks see it. */
export type ResponseMetadata = Pick<CallResponse, "header" | "trailer">;

/**
 * An interceptor that neither responds to calls itself nor replaces its arguments, divided into steps. So our server can
 * run several of them as one, without the promises and objects that Connect's interceptors cost each; elsewhere they are interceptors
 * like any other (`createHookedInterceptor`).
 *
 * `state` is what `begin` returned, undefined without `begin`. The steps run from the outermost hook inwards until the handler
 * runs, and from the innermost outwards after it. Read `request` itself: on our server a copy of it lacks the headers.
 */
export interface CallHook<State = undefined> {
  /** The call begins. It fails with what this throws, and the hooks further in are not called. A promise is awaited. */
  begin?(request: CallRequest): State | Promise<State>;
  /**
   * What runs everything that is further in, each step of a response stream included; undefined to just run it. Where `mayEnter`, it may
   * as well enter an asynchronous context (`AsyncLocalStorage.enterWith`) and return undefined: it is left again after the call.
   */
  runner?(request: CallRequest, state: State, mayEnter: boolean): RunStep | undefined;
  /** A message from the client, of any kind of call. The call, or the handler's step, fails with what this throws. */
  onRequest?(request: CallRequest, state: State, message: object): void;
  /** There is a response: of a stream, before its first message. The moment to set headers. */
  onHead?(request: CallRequest, state: State, response: ResponseMetadata): void;
  /** A message to the client. This one and those below must not throw. */
  onResponse?(request: CallRequest, state: State, message: object): void;
  /**
   * Whether `onResponse` reads its message. Default true. False is for hooks that count: then the message may be the plain object that the
   * handler returned, which is written without a message being made of it.
   */
  readsResponses?: boolean;
  /** After the last message. */
  onEnd?(request: CallRequest, state: State): void;
  /** The call failed further in. What this returns is what it fails with from here on. */
  onError?(request: CallRequest, state: State, error: unknown): unknown;
  /** The reader of a response stream has left before its end. `onEnd`, `onError` or this is the last step. */
  onLeave?(request: CallRequest, state: State): void;
  /**
   * Our channels call it for each attempt of a call. It is independent of the steps of the call: attempts begin after all
   * interceptors, and a call that is answered by one of them has none.
   */
  onAttempt?: OnAttempt;
  /**
   * Our servers report each call of the method when its headers have arrived: before the message of a unary request, which may take its time, and
   * before the steps of the call. `callInfo` has the time (`arrivedAtMs`). What this and `onUnhandled` throw is ignored.
   */
  onArrival?(method: DescMethod): void;
  /** A call that arrived has ended before its steps began, `durationMs` after its arrival: its request was bad, late, or taken back. */
  onUnhandled?(method: DescMethod, code: Code, durationMs: number): void;
}

/** Hooks in their order around a call, with the properties that they have together. */
export class HookChain {
  readonly hooks: readonly CompiledHook[];
  /** Whether any of them wants to see the messages of a request stream. */
  readonly seesRequests: boolean;
  readonly seesHead: boolean;
  /** Whether any of them reads messages to the client. */
  readonly readsResponses: boolean;
  /** Where servers run calls through the chain, if any of its hooks runs what is further in. */
  readonly scope: AsyncResource | undefined;

  constructor(hooks: readonly CompiledHook[]) {
    this.hooks = hooks;
    this.seesRequests = hooks.some(({ onRequest }) => onRequest !== undefined);
    this.seesHead = hooks.some(({ onHead }) => onHead !== undefined);
    this.readsResponses = hooks.some(({ onResponse, readsResponses }) => onResponse !== undefined && readsResponses);
    this.scope = hooks.some(({ runner }) => runner !== undefined) ? createAsyncScope() : undefined;
  }
}

/** One shape for all hooks: looking up the steps of objects of many shapes costs more than some of these steps. */
export class CompiledHook implements Record<keyof CallHook, unknown> {
  readonly begin: CallHook<unknown>["begin"];
  readonly runner: CallHook<unknown>["runner"];
  readonly onRequest: CallHook<unknown>["onRequest"];
  readonly onHead: CallHook<unknown>["onHead"];
  readonly onResponse: CallHook<unknown>["onResponse"];
  readonly readsResponses: boolean;
  readonly onEnd: CallHook<unknown>["onEnd"];
  readonly onError: CallHook<unknown>["onError"];
  readonly onLeave: CallHook<unknown>["onLeave"];
  readonly onAttempt: OnAttempt | undefined;
  readonly onArrival: CallHook["onArrival"];
  readonly onUnhandled: CallHook["onUnhandled"];

  constructor(hook: CallHook<unknown>) {
    this.begin = hook.begin?.bind(hook);
    this.runner = hook.runner?.bind(hook);
    this.onRequest = hook.onRequest?.bind(hook);
    this.onHead = hook.onHead?.bind(hook);
    this.onResponse = hook.onResponse?.bind(hook);
    this.readsResponses = hook.readsResponses ?? true;
    this.onEnd = hook.onEnd?.bind(hook);
    this.onError = hook.onError?.bind(hook);
    this.onLeave = hook.onLeave?.bind(hook);
    this.onAttempt = hook.onAttempt?.bind(hook);
    this.onArrival = hook.onArrival?.bind(hook);
    this.onUnhandled = hook.onUnhandled?.bind(hook);
  }
}
