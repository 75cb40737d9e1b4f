import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The reason to skip tests that need certificates; false if OpenSSL is installed. */
export const withoutOpenssl: string | false =
  spawnSync("openssl", ["version"]).status !== 0 && "openssl, which makes certificates, is not installed";

/** A private key and a certificate in PEM format. */
export interface KeyPair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** The content of a certificate to issue. */
export interface CertificateRequest {
  /** Subject alternative names in OpenSSL's syntax: `DNS:orders.internal`, `IP:192.0.2.1`, `URI:spiffe://example.org/orders`. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  /** Whether the certificate may sign others. Default: false. */
  readonly isAuthority?: boolean;
}

/** A certificate authority that is created for each test, so that nothing in the repository can expire. */
export interface Authority {
  readonly cert: Buffer;
  issue(request: CertificateRequest): KeyPair;
  /** Removes its folder. Issued certificates stay valid. */
  dispose(): void;
}

/** Elliptic curve keys are generated in milliseconds. */
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const lifetime = ["-days", "2"];

export function createAuthority(name = "Test CA"): Authority {
  const folder = mkdtempSync(join(tmpdir(), "tercel-authority-"));
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", ...lifetime, "-subj", `/CN=${name}`);
  let count = 0;
  return {
    cert: read("ca.crt"),
    issue({ names = [], commonName = "absent", isAuthority = false }) {
      const at = count++;
      const extensions = [
        `basicConstraints=CA:${isAuthority ? "TRUE" : "FALSE"}`,
        // In a separate section a comma in a name needs no escape.
        ...(names.length === 0 ? [] : ["subjectAltName=@names", "[names]"]),
        ...names.map((one, index) => one.replace(":", `.${index} = `)),
      ];
      writeFileSync(join(folder, `${at}.cnf`), extensions.join("\n"));
      const subject = `/CN=${commonName.replaceAll("/", "\\/")}`;
      openssl("req", ...newKey, "-keyout", `${at}.key`, "-out", `${at}.csr`, "-subj", subject);
      const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", `${at}.cnf`];
      openssl("x509", "-req", "-in", `${at}.csr`, "-out", `${at}.crt`, ...signed, ...lifetime);
      return { key: read(`${at}.key`), cert: read(`${at}.crt`) };
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Creates a self-signed certificate for the name localhost. Like most real certificates it contains no address, so a client that verifies the
 * resolved address instead of the name fails.
 */
export function createSelfSigned(): KeyPair {
  const folder = mkdtempSync(join(tmpdir(), "tercel-certificate-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const args = ["req", "-x509", ...newKey, "-keyout", key, "-out", cert, ...lifetime, ...names];
    execFileSync("openssl", args, { stdio: "pipe" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
