import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BUILD_FOLDER } from "../paths.ts";
import { runCommand } from "./command.ts";

let made: Promise<readonly string[]> | undefined;

/** Creates a certificate for this run, and returns the words before a subject's command line that enable TLS. */
export function tlsWords(): Promise<readonly string[]> {
  made ??= makeCertificate();
  return made;
}

async function makeCertificate(): Promise<readonly string[]> {
  const folder = join(BUILD_FOLDER, "tls");
  mkdirSync(folder, { recursive: true });
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await runCommand(["openssl", "req", "-x509", ...newKey, "-keyout", key, "-out", cert, ...name]);
  return ["env", `BENCH_TLS_CERT=${cert}`, `BENCH_TLS_KEY=${key}`];
}
