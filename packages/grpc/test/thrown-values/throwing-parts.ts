import type { Interceptor } from "@connectrpc/connect";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import { hostileValues } from "@tercel/test-support/hostile-values";

/** Throws the value that the text names after the place, when this is that place: `handler a BigInt`. */
export function throwing(place: string, text: string): void {
  if (!text.startsWith(`${place} `)) return;
  const make = hostileValues[text.slice(place.length + 1)];
  if (make !== undefined) throw make();
}

/** A hook that throws when a call begins, by the header of that name. */
export const hookInterceptor: Interceptor = createHookedInterceptor({
  begin: (request) => throwing("hook", request.header.get("x-throw") ?? ""),
});

/** An interceptor in Connect's shape that does the same. */
export const wrapInterceptor: Interceptor = (next) => async (request) => {
  throwing("interceptor", request.header.get("x-throw") ?? "");
  return next(request);
};
