import { printable } from "../../logging/printable.ts";

/** Why an attempt to connect failed, as the error of a call says it. `error` is the engine's, whose cause is the system's. */
export function connectError(error: Error, isTls: boolean): Error {
  const { cause } = error;
  if (!(cause instanceof Error)) return error;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const hint = "if it is the right server, set the channel's authority to a name in its certificate";
    return new Error(`${printable(cause.message)}; ${hint}`, { cause });
  }
  const isCutOff = code === "ECONNRESET" && syscall === "read";
  return isCutOff ? closedEarly(isTls) : cause;
}

/** The connection was made and ended before the server sent its SETTINGS. */
export function closedEarly(isTls: boolean): Error {
  const hint = isTls
    ? "it may require a client certificate, or not accept the one that it got"
    : "it may speak TLS on this port, and this channel is created without tls";
  return new Error(`the server closed the connection before it sent anything; ${hint}`);
}
