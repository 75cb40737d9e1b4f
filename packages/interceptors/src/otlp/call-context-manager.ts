import { createContextValues } from "@connectrpc/connect";
import { type Context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";
import { currentValues, enterValues, runWithValues } from "../call/call-scope.ts";
import { overlaidValues } from "../call/overlaid-values.ts";
import { traceContextKey } from "../call/trace-context.ts";

type Base = typeof import("@opentelemetry/context-async-hooks").AsyncLocalStorageContextManager;

/**
 * Creates a context manager of OpenTelemetry that keeps the active context in the storage of the current call, so that a trace does not need a
 * second storage. The base class binds functions and event emitters.
 */
export function createCallContextManager(AsyncLocalStorageContextManager: Base): ContextManager {
  return new (class extends AsyncLocalStorageContextManager {
    override active(): Context {
      return currentValues()?.get(traceContextKey) ?? ROOT_CONTEXT;
    }

    override with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
      context: Context,
      step: F,
      thisArg?: ThisParameterType<F>,
      ...args: A
    ): ReturnType<F> {
      const run = (): ReturnType<F> => step.apply(thisArg, args);
      return currentValues()?.get(traceContextKey) === context ? run() : runWithValues(valuesWith(context), run);
    }

    override attach(context: Context): { dispose(): void } {
      const before = currentValues();
      enterValues(valuesWith(context));
      return { dispose: () => enterValues(before) };
    }
  })();
}

function valuesWith(context: Context) {
  return overlaidValues(currentValues() ?? createContextValues(), traceContextKey, context);
}
