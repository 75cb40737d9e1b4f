import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why tests that need certificates are skipped here, or false where they are not. */
export const withoutOpenssl: string | false =
  spawnSync("openssl", ["version"]).status === 0 ? false : "openssl, which makes certificates, is not installed";

export interface KeyPair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** What an authority is asked to sign. */
export interface CertificateRequest {
  /** Subject alternative names as OpenSSL writes them: `URI:spiffe://example.org/orders`, `DNS:orders.internal`. Default: none. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  /** Makes it one that may sign others. */
  readonly isAuthority?: boolean;
}

/** A certificate authority of a test's own, made anew, so that nothing in the repository can expire. */
export interface Authority {
  readonly cert: Buffer;
  issue(request: CertificateRequest): KeyPair;
  dispose(): void;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

export function createAuthority(name = "Test CA"): Authority {
  const folder = mkdtempSync(join(tmpdir(), "tercel-ca-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (file: string) => readFileSync(join(folder, file));
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", `/CN=${name}`);
  let count = 0;
  return {
    cert: read("ca.crt"),
    issue({ names = [], commonName = "nobody", isAuthority = false }) {
      count++;
      const [key, csr, cert, extensions] = ["key", "csr", "crt", "cnf"].map((ending) => `${count}.${ending}`) as [
        string,
        string,
        string,
        string,
      ];
      // In a section of their own a comma in a name is just a comma.
      const sections = [
        `basicConstraints=CA:${isAuthority ? "TRUE" : "FALSE"}`,
        ...(names.length === 0 ? [] : ["subjectAltName=@names", "[names]"]),
        ...names.map((name, at) => name.replace(":", `.${at} = `)),
      ];
      writeFileSync(join(folder, extensions), sections.join("\n"));
      const subject = `/CN=${commonName.replaceAll("/", "\\/")}`;
      openssl("req", ...newKey, "-keyout", key, "-out", csr, "-subj", subject);
      const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", extensions];
      openssl("x509", "-req", "-in", csr, "-out", cert, ...sign, "-days", "2");
      return { key: read(key), cert: read(cert) };
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
