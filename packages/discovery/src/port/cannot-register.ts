import { Code, ConnectError } from "@connectrpc/connect";

/** The error of `register` in a registry that cannot register. */
export function cannotRegister(description: string, reason: string): ConnectError {
  return new ConnectError(`${description} does not support registration: ${reason}`, Code.Unimplemented);
}
