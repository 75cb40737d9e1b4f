import { readPeerCertificate } from "@tercel/http2/internal";
import type { ClientTls } from "../../call/context/call-info.ts";

/** What TLS says of the client of a connection on which another protocol than HTTP/2 is spoken. */
export function readClientTls(socket: Parameters<typeof readPeerCertificate>[0]): ClientTls {
  return { certificate: readPeerCertificate(socket) };
}
