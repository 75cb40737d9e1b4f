import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "@tercel/test-support/certificates";

export interface Certificates {
  /** The authority of this run, which is the only one that clients trust. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The name in the certificate. */
  readonly serverName: string;
}

const serverName = "server.interop.test";

/** Creates an authority and a server's certificate, as files in the folder. */
export function makeCertificates(folder: string): Certificates {
  const authority = createAuthority("interop test CA");
  const { key, cert } = authority.issue({ commonName: serverName, names: [`DNS:${serverName}`] });
  authority.dispose();
  const written = (name: string, content: Buffer): string => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  return {
    caFile: written("ca.pem", authority.cert),
    certFile: written("server.pem", cert),
    keyFile: written("server.key", key),
    serverName,
  };
}
