import { isIP } from "node:net";
import type { ConnectionOptions, PeerCertificate } from "node:tls";

/** Enough to recognize a certificate by; the peer decides how long its list is. */
const maxNamesLength = 256;

/**
 * Returns the options that make `node:tls` verify the server's certificate for `serverName`, and ask for the server by that name
 * (SNI) unless it is an IP address: RFC 6066 §3 allows host names only, without a final dot. `tls.servername` replaces the name;
 * an empty one asks for no name. A connection is made to an address, so without this the name verified would be that address.
 */
export function withServerName(tls: ConnectionOptions, serverName: string): ConnectionOptions {
  const name = (tls.servername || serverName).replace(/\.$/, "");
  const isSent = tls.servername !== "" && isIP(name) === 0;
  const check = tls.checkServerIdentity ?? checkIdentity;
  return {
    ...tls,
    servername: isSent ? name : "",
    checkServerIdentity: (_address, certificate) => check(name, certificate),
  };
}

/** As Node's own check, with an error that names what was expected and what was found. */
function checkIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const error = process.getBuiltinModule("node:tls").checkServerIdentity(name, certificate);
  if (error === undefined) return undefined;
  error.message = `the server's certificate is not for ${name}, but for ${namesOf(certificate)}`;
  return error;
}

function namesOf({ subjectaltname, subject }: PeerCertificate): string {
  // Without alternative names Node falls back on the common name.
  const names = subjectaltname ?? (subject?.CN === undefined ? "no name" : `CN:${[subject.CN].flat().join(", CN:")}`);
  return names.length <= maxNamesLength ? names : `${names.slice(0, maxNamesLength)}…`;
}
