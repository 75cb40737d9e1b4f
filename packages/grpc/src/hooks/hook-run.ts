import { inspectable } from "../logging/thrown-text.ts";
import type { CallRequest, HookChain, ResponseMetadata } from "./call-hook.ts";
import { gateMessages } from "./gate-messages.ts";
import { type RunStep, watchMessages } from "./watch-messages.ts";

/** One call on its way through a chain of hooks. Whoever holds it calls `enter`, and then what became of the call, once. */
export abstract class HookRun<Outcome> {
  protected readonly chain: HookChain;
  readonly request: CallRequest;
  private readonly states: unknown[];
  /** Hooks that have begun: these, and only these, are notified of the end. */
  private entered = 0;
  /** Of a call with a response stream: what each of its steps runs in. */
  private runners: RunStep[] | undefined = undefined;
  /** Whether hooks may enter asynchronous contexts: `enter` is called in a scope that is left again. */
  private readonly mayEnter: boolean;

  constructor(chain: HookChain, request: CallRequest, mayEnter: boolean) {
    this.chain = chain;
    this.request = request;
    // Of its length at once: an array that grows takes room for seventeen.
    this.states = new Array<unknown>(chain.hooks.length);
    this.mayEnter = mayEnter;
  }

  /** The call after the hooks. */
  protected abstract proceed(): Outcome | Promise<Outcome>;

  /** Begins the hooks from `at` inwards and proceeds. Throws or rejects with what refused the call, or with what came of it. */
  enter(at: number): Outcome | Promise<Outcome> {
    const { hooks } = this.chain;
    const { request } = this;
    for (let index = at; index < hooks.length; index++) {
      const hook = hooks[index] as (typeof hooks)[number];
      const state = hook.begin?.(request);
      if (state instanceof Promise) return state.then((begun) => this.begun(index, begun));
      const run = this.beginMessages(index, state);
      if (run !== undefined) return run(() => this.enter(index + 1));
    }
    return this.proceed();
  }

  private begun(index: number, state: unknown): Outcome | Promise<Outcome> {
    const run = this.beginMessages(index, state);
    return run === undefined ? this.enter(index + 1) : run(() => this.enter(index + 1));
  }

  private beginMessages(index: number, state: unknown): RunStep | undefined {
    const { request } = this;
    const hook = this.chain.hooks[index] as HookChain["hooks"][number];
    // A call's one message passes now; a stream's are watched where they are read.
    if (!request.stream && hook.onRequest !== undefined) hook.onRequest(request, state, request.message);
    this.states[index] = state;
    this.entered = index + 1;
    const run = hook.runner?.(request, state, this.mayEnter);
    if (run !== undefined && request.stream) {
      this.runners ??= [];
      this.runners.push(run);
    }
    return run;
  }

  /** The messages of a request stream, as what is further in may read them. */
  protected gated<T extends object>(messages: AsyncIterable<T>): AsyncIterable<T> {
    if (!this.chain.seesRequests) return messages;
    return gateMessages(messages, (message) => this.onRequest(message));
  }

  protected onRequest(message: object): void {
    const { hooks } = this.chain;
    for (let at = 0; at < hooks.length; at++) hooks[at]?.onRequest?.(this.request, this.states[at], message);
  }

  /** There is an answer of one message. `response` is there where the chain sees it (`seesHead`). Throws what a hook made of it by failing. */
  answered(response: ResponseMetadata | undefined, message: object): void {
    const { hooks } = this.chain;
    const { request, states } = this;
    let at = this.entered - 1;
    try {
      for (; at >= 0; at--) {
        const hook = hooks[at] as (typeof hooks)[number];
        if (response !== undefined) hook.onHead?.(request, states[at], response);
        hook.onResponse?.(request, states[at], message);
        hook.onEnd?.(request, states[at]);
      }
    } catch (error) {
      throw this.failedWithin(at, inspectable(error));
    }
  }

  /** A stream has its response, whose messages are still to come. */
  headed(response: ResponseMetadata | undefined): void {
    if (response === undefined) return;
    const { hooks } = this.chain;
    for (let at = hooks.length - 1; at >= 0; at--) hooks[at]?.onHead?.(this.request, this.states[at], response);
  }

  /** The messages of a response stream, watched by all hooks as one. */
  protected watched<T extends object>(messages: AsyncIterable<T>): AsyncIterable<T> {
    const { runners } = this;
    return watchMessages(
      messages,
      {
        onMessage: (message) => this.onResponse(message),
        onEnd: () => this.onEnd(),
        onError: (error) => this.failed(error),
        onLeave: () => this.onLeave(),
      },
      runners === undefined ? undefined : (step) => runWithin(runners, 0, step),
    );
  }

  /** The call failed further in than the hooks that have begun. Returns what it fails with. */
  failed(error: unknown): unknown {
    return this.failedWithin(this.entered, inspectable(error));
  }

  private failedWithin(below: number, error: unknown): unknown {
    const { hooks } = this.chain;
    let told = error;
    for (let at = below - 1; at >= 0; at--) {
      const hook = hooks[at] as (typeof hooks)[number];
      if (hook.onError === undefined) continue;
      try {
        told = hook.onError(this.request, this.states[at], told);
      } catch (thrown) {
        // Against the contract, but an observer of the application may do it: the hooks further out get that error.
        told = inspectable(thrown);
      }
    }
    return told;
  }

  protected onResponse(message: object): void {
    const { hooks } = this.chain;
    for (let at = hooks.length - 1; at >= 0; at--) hooks[at]?.onResponse?.(this.request, this.states[at], message);
  }

  protected onEnd(): void {
    const { hooks } = this.chain;
    for (let at = hooks.length - 1; at >= 0; at--) hooks[at]?.onEnd?.(this.request, this.states[at]);
  }

  protected onLeave(): void {
    const { hooks } = this.chain;
    for (let at = 0; at < hooks.length; at++) hooks[at]?.onLeave?.(this.request, this.states[at]);
  }
}

/** The outermost first. */
function runWithin<R>(runners: readonly RunStep[], at: number, step: () => R): R {
  const run = runners[at];
  return run === undefined ? step() : run(() => runWithin(runners, at + 1, step));
}
