import type { Interceptor } from "@connectrpc/connect";
import { callerKey } from "../../src/call/caller.ts";

/** Stands for `createMtls` or `createServiceKeyGuard`: believes what a call says of itself in `x-name`. */
export const identifying: Interceptor = (next) => (request) => {
  const name = request.header.get("x-name");
  if (name !== null) request.contextValues.set(callerKey, { kind: "certificate", name, names: [name] });
  return next(request);
};
