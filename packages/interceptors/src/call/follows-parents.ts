import { ProxyTracerProvider, type TracerProvider, trace } from "@opentelemetry/api";

/**
 * Marks a tracer provider that never records a call of an unsampled trace, so that such a call needs no span. Other samplers may decide
 * differently, so they must be called.
 */
const followsParents = Symbol("follows parents");

export function markFollowing(provider: TracerProvider): void {
  Object.assign(provider, { [followsParents]: true });
}

/** Whether the global tracer provider has that mark. */
export function followsUnsampled(): boolean {
  const provider = trace.getTracerProvider();
  const own = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  return (own as { readonly [followsParents]?: boolean })[followsParents] === true;
}
