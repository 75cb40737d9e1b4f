import type { ContextValues } from "@connectrpc/connect";
import { callInfo } from "./call-info.ts";
import { CallContext } from "./handler-context.ts";

/**
 * A header of the request an interceptor was handed: `request.header.get(name)`, but on our servers without making a Headers
 * object of all that came, which costs more than a small call. `name` is in lower case.
 */
export function readHeader(
  request: { readonly header: Headers; readonly contextValues: ContextValues },
  name: string,
): string | null {
  const info = request.contextValues.get(callInfo);
  // An interceptor before may have handed on a request with headers of its own.
  if (info instanceof CallContext && info.handedRequest === request) return info.peekHeader(name);
  return request.header.get(name);
}
