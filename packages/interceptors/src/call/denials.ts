import type { ConnectError, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { permissionDenied } from "@tercel/grpc/errors";
import type { Caller } from "./caller.ts";
import { methodPath } from "./method-path.ts";

/** Returns the error for a call to a method without a rule. */
export function methodDenied(request: UnaryRequest | StreamRequest, domain: string): ConnectError {
  const metadata = { method: methodPath(request) };
  return permissionDenied({ message: "no one may call this method", reason: "METHOD_DENIED", domain, metadata });
}

/** Returns the error for an identified caller that the method's rule does not admit. */
export function callerDenied(request: UnaryRequest | StreamRequest, caller: Caller, domain: string): ConnectError {
  const metadata = { method: methodPath(request), caller: caller.name };
  return permissionDenied({
    message: "this workload may not call this method",
    reason: "CALLER_DENIED",
    domain,
    metadata,
  });
}
