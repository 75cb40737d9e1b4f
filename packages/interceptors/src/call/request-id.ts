import { type ContextKey, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import { currentValues, runWithValues } from "./call-scope.ts";
import { overlaidValues } from "./overlaid-values.ts";

/** The call's request id among its context values: on a server the call that is handled, on a client the one that is made. */
export const requestIdKey: ContextKey<string | undefined> = createContextKey<string | undefined>(undefined, {
  description: "request id",
});

/** The id of the request that the running code works for; undefined outside of a call. */
export function currentRequestId(): string | undefined {
  return currentValues()?.get(requestIdKey);
}

/** Runs something for a request, so that `currentRequestId` knows it wherever that leads. */
export function runWithRequestId<R>(id: string, step: () => R): R {
  return runWithValues(overlaidValues(currentValues() ?? createContextValues(), requestIdKey, id), step);
}

/** The id of a call, from its own values or from those of the call being handled. */
export function requestIdOf(call: { readonly contextValues: ContextValues }): string | undefined {
  return call.contextValues.get(requestIdKey) ?? currentRequestId();
}

interface CallWithHeader {
  readonly contextValues: ContextValues;
  readonly header: Headers;
}

/** The metadata name that carries the id unless an interceptor was given another. */
export const defaultRequestIdHeader = "x-request-id";

/** The other names, by what belongs to one call alone: a client's header, a server's context values. */
const otherHeaders = new WeakMap<Headers | ContextValues, string>();

/** Records the metadata name that carries the call's id, for logs and spans. */
export function setRequestIdHeader(side: "client" | "server", request: CallWithHeader, name: string): void {
  if (name !== defaultRequestIdHeader)
    otherHeaders.set(side === "client" ? request.header : request.contextValues, name);
}

/** The metadata name that carries the call's id. */
export function requestIdHeaderOf(side: "client" | "server", request: CallWithHeader): string {
  return otherHeaders.get(side === "client" ? request.header : request.contextValues) ?? defaultRequestIdHeader;
}

/** As `requestIdOf`, for logs and spans of either side: a client's id is in the header that it sends. */
export function requestIdOn(side: "client" | "server", request: CallWithHeader): string | undefined {
  const sent = side === "client" ? request.header.get(requestIdHeaderOf(side, request)) : undefined;
  return sent ?? requestIdOf(request);
}
