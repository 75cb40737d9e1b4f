import { Code, ConnectError } from "@connectrpc/connect";

/** The answer of a registry whose list somebody else keeps. */
export function cannotRegister(description: string, whoDoes: string): ConnectError {
  return new ConnectError(`${description} registers no one: ${whoDoes}`, Code.Unimplemented);
}
