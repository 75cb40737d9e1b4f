import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  /** An authority made for this run, which is all that clients trust. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The name in the certificate. */
  readonly serverName: string;
}

const serverName = "server.interop.test";

/** Makes an authority and a server's certificate in the folder, with the openssl command line. */
export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => join(folder, name);
  const openssl = (...options: string[]): void => {
    execFileSync("openssl", options, { stdio: "ignore" });
  };
  const newKey = ["-newkey", "rsa:2048", "-nodes", "-keyout"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    file("ca.key"),
    "-out",
    file("ca.pem"),
    "-days",
    "2",
    "-subj",
    "/CN=interop test CA",
  );
  openssl("req", ...newKey, file("server.key"), "-out", file("server.csr"), "-subj", `/CN=${serverName}`);
  writeFileSync(file("server.ext"), `subjectAltName=DNS:${serverName}\nbasicConstraints=CA:FALSE\n`);
  const authority = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial"];
  const extensions = ["-extfile", file("server.ext")];
  openssl(
    "x509",
    "-req",
    "-in",
    file("server.csr"),
    ...authority,
    "-out",
    file("server.pem"),
    "-days",
    "2",
    ...extensions,
  );
  return { caFile: file("ca.pem"), certFile: file("server.pem"), keyFile: file("server.key"), serverName };
}
