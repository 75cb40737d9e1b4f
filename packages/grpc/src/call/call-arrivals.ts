import type { DescMethod } from "@bufbuild/protobuf";
import type { Code, Interceptor } from "@connectrpc/connect";
import type { CompiledHook } from "../hooks/call-hook.ts";
import { hookChain } from "../hooks/hooked-interceptor.ts";

/** Those among the interceptors of a method that want to know of its calls as soon as they arrive. */
export class CallArrivals {
  readonly #hooks: readonly CompiledHook[];

  private constructor(hooks: readonly CompiledHook[]) {
    this.#hooks = hooks;
  }

  /** Undefined without such hooks: then calls need not read the clock. */
  static of(interceptors: readonly Interceptor[]): CallArrivals | undefined {
    const all = interceptors.flatMap((interceptor) => hookChain(interceptor)?.hooks ?? []);
    const hooks = all.filter(({ onArrival, onUnhandled }) => onArrival !== undefined || onUnhandled !== undefined);
    return hooks.length === 0 ? undefined : new CallArrivals(hooks);
  }

  arrived(method: DescMethod): void {
    for (const hook of this.#hooks) {
      try {
        hook.onArrival?.(method);
      } catch {
        // A hook that only counts must not fail the connection whose reading it is called from.
      }
    }
  }

  unhandled(method: DescMethod, code: Code, durationMs: number): void {
    for (const hook of this.#hooks) {
      try {
        hook.onUnhandled?.(method, code, durationMs);
      } catch {
        // As above.
      }
    }
  }
}
