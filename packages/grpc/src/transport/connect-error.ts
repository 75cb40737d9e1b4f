import { printable } from "../call/printable.ts";

/** Why an attempt to connect failed, as the error of a call names it. `error` is the engine's. */
export function connectError(error: Error): Error {
  const { cause } = error;
  if (!(cause instanceof Error)) return error;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const hint = "if it is the right server, set the channel's authority to a name in its certificate";
    return new Error(`${printable(cause.message)}; ${hint}`, { cause });
  }
  return cause;
}
