import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why tests that need certificates are skipped here, or false where they are not. */
export const withoutOpenssl: string | false =
  spawnSync("openssl", ["version"]).status === 0 ? false : "openssl, which makes certificates, is not installed";

export interface Authority {
  readonly certificate: Buffer;
  /** A certificate and its key; `name` is its common name. It is for localhost and 127.0.0.1, unless for other names. */
  issue(name: string, names?: string): { readonly cert: Buffer; readonly key: Buffer };
}

const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes authorities in a folder of their own, which `remove` takes away. */
export function openCertificates() {
  const folder = mkdtempSync(join(tmpdir(), "tercel-certificates-"));
  return {
    folder,
    createAuthority(name: string): Authority {
      const own = join(folder, name);
      mkdirSync(own);
      const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: own, stdio: "pipe" });
      openssl("req", "-x509", ...ecKey, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", `/CN=${name}`);
      return {
        certificate: readFileSync(join(own, "ca.crt")),
        issue(subject, alternatives = "DNS:localhost,IP:127.0.0.1") {
          const names = `subjectAltName=${alternatives}`;
          const [key, request, cert] = ["key", "csr", "crt"].map((ending) => `${subject}.${ending}`) as [
            string,
            string,
            string,
          ];
          openssl("req", ...ecKey, "-keyout", key, "-out", request, "-subj", `/CN=${subject}`, "-addext", names);
          const sign = [
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-copy_extensions",
            "copy",
          ];
          openssl("x509", "-req", "-in", request, "-out", cert, ...sign);
          return { cert: readFileSync(join(own, cert)), key: readFileSync(join(own, key)) };
        },
      };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
