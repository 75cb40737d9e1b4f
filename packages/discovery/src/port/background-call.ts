import { type ContextValues, createContextValues } from "@connectrpc/connect";
import { keepsProcessAlive } from "@tercel/grpc";

/** For the call that follows a service: the hub decides whether the process waits for it. */
export function backgroundCall(): ContextValues {
  return createContextValues().set(keepsProcessAlive, false);
}
