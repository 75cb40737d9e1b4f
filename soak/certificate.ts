import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";

/** Writes a key and a certificate for localhost into the folder; undefined where openssl is not installed. */
export function writeCertificate(folder: string): { keyFile: string; certFile: string } | undefined {
  if (spawnSync("openssl", ["version"]).status !== 0) return undefined;
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  execFileSync("openssl", ["req", "-x509", ...key, "-subj", "/CN=localhost", "-days", "2", "-out", certFile], {
    stdio: "ignore",
  });
  return { keyFile, certFile };
}
