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

/** The id that belongs to a call, wherever it is known from. */
export function requestIdOf(call: { readonly contextValues: ContextValues }): string | undefined {
  return call.contextValues.get(requestIdKey) ?? currentRequestId();
}

/** The same, for what is written of a call on either side: a client's id stands in the header it sends. */
export function requestIdOn(
  side: "client" | "server",
  request: { readonly contextValues: ContextValues; readonly header: Headers },
): string | undefined {
  return (side === "client" ? request.header.get("x-request-id") : undefined) ?? requestIdOf(request);
}
