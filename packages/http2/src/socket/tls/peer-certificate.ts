import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../stream/peer-tls.ts";
import { parseSubjectAltNames } from "./subject-alt-names.ts";

/** The peer's certificate, if one was requested and verified. */
export function readPeerCertificate(
  socket: Pick<TLSSocket, "authorized" | "getPeerX509Certificate">,
): PeerCertificate | undefined {
  // A session that is resumed may count as authorized without a certificate, so both are looked at.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  const names = parseSubjectAltNames(certificate?.subjectAltName);
  if (certificate === undefined || names === undefined) return undefined;
  return {
    ...names,
    isAuthority: certificate.ca,
    expiresAtMs: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
