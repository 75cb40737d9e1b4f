import { Code, ConnectError } from "@connectrpc/connect";
import { applicationCodes, codeName, hasCode } from "../retry/code-set.ts";

/**
 * What a resolver or balancer may fail a call with: a code that belongs to applications becomes Internal (gRFC A54). Otherwise
 * a NOT_FOUND of whoever finds the servers would pass for one of the server's.
 */
export function controlPlaneError(error: ConnectError): ConnectError {
  if (!hasCode(applicationCodes, error.code)) return error;
  const message = `no server was asked: finding one failed with ${codeName(error.code)}: ${error.rawMessage}`;
  return new ConnectError(message, Code.Internal, undefined, undefined, error);
}
