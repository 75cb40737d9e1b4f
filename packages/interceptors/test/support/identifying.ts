import type { Interceptor } from "@connectrpc/connect";
import { callerKey } from "../../src/call/caller.ts";

/** Replaces `createMtls` or `createServiceKeyGuard`: identifies the caller by the metadata `x-name`. */
export const identifying: Interceptor = (next) => (request) => {
  const name = request.header.get("x-name");
  if (name !== null) request.contextValues.set(callerKey, { kind: "certificate", name, names: [name] });
  return next(request);
};
