import { type ContextKey, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { currentValues, runWithValues } from "./call-scope.ts";
import { overlaidValues } from "./overlaid-values.ts";

/** The context key of a call's request id: on a server of the incoming call, on a client of the outgoing one. */
export const requestIdKey: ContextKey<string | undefined> = createContextKey<string | undefined>(undefined, {
  description: "request id",
});

/** Returns the request id of the current call; undefined outside of calls. */
export function currentRequestId(): string | undefined {
  return currentValues()?.get(requestIdKey);
}

/** Runs a function with a request id, which `currentRequestId` returns in everything that it calls. */
export function runWithRequestId<R>(id: string, step: () => R): R {
  return runWithValues(overlaidValues(currentValues() ?? createContextValues(), requestIdKey, id), step);
}

/** Returns the request id of a call, from its own context values or from those of the current call. */
export function requestIdOf(call: { readonly contextValues: ContextValues }): string | undefined {
  return call.contextValues.get(requestIdKey) ?? currentRequestId();
}

interface CallWithHeader {
  readonly contextValues: ContextValues;
  readonly header: Headers;
}

/** The default name of the metadata with the request id. */
export const defaultRequestIdHeader = "x-request-id";

/** Names that are not the default, by an object that belongs to one call: a client's header, or a server's context values. */
const otherHeaders = new WeakMap<Headers | ContextValues, string>();

/** Records the name of the metadata with the call's request id, for logs and spans. */
export function setRequestIdHeader(side: "client" | "server", request: CallWithHeader, name: string): void {
  if (name !== defaultRequestIdHeader)
    otherHeaders.set(side === "client" ? request.header : request.contextValues, name);
}

/** Returns the name of the metadata with the call's request id. */
export function requestIdHeaderOf(side: "client" | "server", request: CallWithHeader): string {
  return otherHeaders.get(side === "client" ? request.header : request.contextValues) ?? defaultRequestIdHeader;
}

/** As `requestIdOf`, for logs and spans on both sides: a client's id is in the header that it sends. */
export function requestIdOn(side: "client" | "server", request: CallWithHeader): string | undefined {
  const sent = side === "client" ? request.header.get(requestIdHeaderOf(side, request)) : undefined;
  return sent ?? requestIdOf(request);
}
