import type { ContextValues } from "@connectrpc/connect";
import { callInfo } from "./call-info.ts";
import { CallContext } from "./handler-context.ts";

/**
 * Sets a header of the response an interceptor was handed: `response.header.set(name, value)`, but on our servers without making a
 * Headers object for it, which costs more than a small call. `name` is in lower case, and one that metadata may have.
 *
 * `isFit` says that the value need not be checked: it is printable ASCII without a blank at either end.
 */
export function setHeader(
  request: { readonly contextValues: ContextValues },
  response: { readonly header: Headers },
  name: string,
  value: string,
  isFit = false,
): void {
  const info = request.contextValues.get(callInfo);
  // An interceptor further in may have answered with headers of its own.
  if (info instanceof CallContext && info.handedResponse === response) info.setHeader(name, value, isFit);
  else response.header.set(name, value);
}
