import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** Without `instanceof`, which would load `node:tls` in programs that use cleartext alone. */
export function isTlsSocket(socket: Socket): socket is TLSSocket {
  return (socket as Partial<TLSSocket>).encrypted === true;
}
