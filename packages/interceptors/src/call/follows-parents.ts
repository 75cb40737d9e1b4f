import { ProxyTracerProvider, type TracerProvider, trace } from "@opentelemetry/api";

/**
 * Marks a tracer provider that never records a call whose caller's trace is not recorded: such a call needs no span then. Samplers in
 * general may decide otherwise, so they must be called.
 */
const followsParents = Symbol("follows parents");

export function markFollowing(provider: TracerProvider): void {
  Object.assign(provider, { [followsParents]: true });
}

/** Whether the process's tracer provider is one of these. */
export function followsUnsampled(): boolean {
  const provider = trace.getTracerProvider();
  const own = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  return (own as { readonly [followsParents]?: boolean })[followsParents] === true;
}
