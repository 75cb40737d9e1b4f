import type { Interceptor } from "@connectrpc/connect";
import type { OnAttempt } from "./attempt-observer.ts";
import { type CallHook, type CallRequest, type CallResponse, CompiledHook, HookChain } from "./call-hook.ts";
import { HookRun } from "./hook-run.ts";
import { requestWithMessages, responseWithMessages } from "./with-messages.ts";

type Next = ReturnType<Interceptor>;

const chainOf = Symbol("hook chain");

/** An interceptor that can be taken apart again. */
interface HookedInterceptor extends Interceptor {
  readonly [chainOf]: HookChain;
}

/** Makes of a hook what Connect's servers and clients take. */
export function createHookedInterceptor<State>(hook: CallHook<State>): Interceptor {
  // What a hook is handed as its state is what it returned.
  return interceptorOf(new HookChain([new CompiledHook(hook as CallHook<unknown>)]));
}

/** The same interceptors, with adjacent hooks combined into one. */
export function groupHooks(interceptors: readonly Interceptor[]): readonly Interceptor[] {
  const grouped: Interceptor[] = [];
  for (const interceptor of interceptors) {
    const before = grouped.length === 0 ? undefined : hookChain(grouped.at(-1));
    const chain = hookChain(interceptor);
    if (before === undefined || chain === undefined) grouped.push(interceptor);
    else grouped[grouped.length - 1] = interceptorOf(new HookChain([...before.hooks, ...chain.hooks]));
  }
  return grouped;
}

/** The hooks that an interceptor is made of; undefined for any other. */
export function hookChain(interceptor: Interceptor | undefined): HookChain | undefined {
  return (interceptor as Partial<HookedInterceptor> | undefined)?.[chainOf];
}

/**
 * The same interceptor for a server that has nothing around it. No context of an application's has been entered there, so that of a unary call
 * may be entered and left as a whole. The steps of a response stream come from elsewhere and are run one by one.
 */
export function asOutermost(interceptor: Interceptor): Interceptor {
  const chain = hookChain(interceptor);
  const scope = chain?.scope;
  if (chain === undefined || scope === undefined) return interceptor;
  return (next) => (request) => {
    if (request.stream) return new InterceptorPassage(chain, request, next, false).run();
    return scope.runInAsyncScope(() => new InterceptorPassage(chain, request, next, true).run());
  };
}

/** The interceptors of a channel that observe attempts; undefined without any. */
export function attemptListeners(interceptors: readonly Interceptor[]): readonly OnAttempt[] | undefined {
  const listeners: OnAttempt[] = [];
  for (const interceptor of interceptors) {
    for (const { onAttempt } of hookChain(interceptor)?.hooks ?? []) {
      if (onAttempt !== undefined) listeners.push(onAttempt);
    }
  }
  return listeners.length === 0 ? undefined : listeners;
}

function interceptorOf(chain: HookChain): HookedInterceptor {
  const interceptor: Interceptor = (next) => (request) => new InterceptorPassage(chain, request, next, false).run();
  return Object.assign(interceptor, { [chainOf]: chain });
}

class InterceptorPassage extends HookRun<CallResponse> {
  private readonly next: Next;

  constructor(chain: HookChain, request: CallRequest, next: Next, mayEnter: boolean) {
    super(chain, request, mayEnter);
    this.next = next;
  }

  run(): Promise<CallResponse> {
    let responding: CallResponse | Promise<CallResponse>;
    try {
      responding = this.enter(0);
    } catch (error) {
      return Promise.reject(this.failed(error));
    }
    return (responding as Promise<CallResponse>).then(
      (response) => this.responded(response),
      (error) => {
        throw this.failed(error);
      },
    );
  }

  protected proceed(): Promise<CallResponse> {
    const { request } = this;
    if (!request.stream || !this.chain.seesRequests) return this.next(request);
    return this.next(requestWithMessages(request, this.gated(request.message)));
  }

  private responded(response: CallResponse): CallResponse {
    if (!response.stream) {
      this.answered(response, response.message);
      return response;
    }
    this.headed(response);
    return responseWithMessages(response, this.watched(response.message));
  }
}
