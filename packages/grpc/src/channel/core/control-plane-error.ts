import { Code, ConnectError } from "@connectrpc/connect";
import { applicationCodes, codeName, hasCode } from "../retry/code-set.ts";

/**
 * What a resolver or balancer may fail a call with: a code that belongs to applications becomes Internal (gRFC A54). Otherwise
 * a NOT_FOUND of the name resolution would look like one of the server's.
 */
export function controlPlaneError(error: ConnectError): ConnectError {
  if (!hasCode(applicationCodes, error.code)) return error;
  const message = `the call was not sent: finding a server failed with ${codeName(error.code)}: ${error.rawMessage}`;
  return new ConnectError(message, Code.Internal, undefined, undefined, error);
}
