import type { Message } from "@bufbuild/protobuf";
import {
  answer,
  callHandler,
  ended,
  failed,
  type HandledCall,
  isAsyncIterable,
  isPromise,
  sendAll,
} from "./handled-call.ts";
import { HookedInvocation } from "./hooked-invocation.ts";
import { invokeIntercepted } from "./invoke-intercepted.ts";

/**
 * Runs a call's handler, through the interceptors where there are any, and sends what it answers. `input` is the request,
 * or the iterable of requests for methods that take a stream.
 */
export function invoke(call: HandledCall, input: Message | AsyncIterable<Message>): void {
  const { hooks, interceptors } = call.plan.handler;
  if (hooks !== undefined) {
    new HookedInvocation(hooks, call, input).run();
    return;
  }
  if (interceptors.length > 0) {
    invokeIntercepted(call, input).then(
      () => call.handlerEnded(),
      (error) => failed(call, error),
    );
    return;
  }
  try {
    const output = callHandler(call, input, call.context);
    if (isAsyncIterable(output)) {
      sendAll(call, output).then(
        () => ended(call),
        (error) => failed(call, error),
      );
    } else if (isPromise(output)) {
      output.then(
        (init) => answer(call, init),
        (error) => failed(call, error),
      );
    } else {
      answer(call, output);
    }
  } catch (error) {
    failed(call, error);
  }
}
