/** The certificate of a run over TLS, from the environment. Clients trust it, and servers present it. */

import { readFileSync } from "node:fs";

export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
}

/** Undefined if the run uses cleartext. */
export function tlsFiles(): TlsFiles | undefined {
  const { BENCH_TLS_CERT: certFile, BENCH_TLS_KEY: keyFile } = process.env;
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}
