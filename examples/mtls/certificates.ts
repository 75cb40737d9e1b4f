import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates an authority, and certificates by their subject alternative names. In production SPIRE, cert-manager or Vault does this. */
export function makeCertificates<Name extends string>(alternatives: Readonly<Record<Name, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "tercel-example-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=Example");
    const read = (file: string) => readFileSync(join(folder, file));
    const issued = Object.entries<string>(alternatives).map(([name, alternative]) => {
      openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
      writeFileSync(join(folder, `${name}.cnf`), `basicConstraints=CA:FALSE\nsubjectAltName=${alternative}\n`);
      const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${name}.cnf`, "-days", "2"];
      openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, ...sign);
      return [name, { ca: read("ca.crt"), key: read(`${name}.key`), cert: read(`${name}.crt`) }] as const;
    });
    return Object.fromEntries(issued) as Record<Name, { ca: Buffer; key: Buffer; cert: Buffer }>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
