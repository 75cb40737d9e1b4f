import type { Interceptor } from "@connectrpc/connect";

/** Wraps `call` so that the first interceptor is the outermost, as in Connect. */
export function applyInterceptors(
  call: ReturnType<Interceptor>,
  interceptors: readonly Interceptor[],
): ReturnType<Interceptor> {
  let next = call;
  for (let at = interceptors.length - 1; at >= 0; at--) next = (interceptors[at] as Interceptor)(next);
  return next;
}
