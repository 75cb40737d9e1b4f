import { type ContextValues, createContextValues } from "@connectrpc/connect";
import { keepsProcessAlive } from "@tercel/grpc";

/** Context values for the call that follows a service: the call does not keep the process alive, because the hub decides that. */
export function backgroundCall(): ContextValues {
  return createContextValues().set(keepsProcessAlive, false);
}
