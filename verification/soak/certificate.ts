import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSelfSigned, withoutOpenssl } from "@tercel/test-support/certificates";

/** Writes a key and a certificate for localhost into the folder. Returns undefined if openssl is not installed. */
export function writeCertificate(folder: string): { keyFile: string; certFile: string } | undefined {
  if (withoutOpenssl) return undefined;
  const { key, cert } = createSelfSigned();
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  writeFileSync(keyFile, key);
  writeFileSync(certFile, cert);
  return { keyFile, certFile };
}
