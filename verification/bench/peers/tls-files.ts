/** The certificate that a run over TLS is given by its environment; a client trusts it, a server shows it. */

import { readFileSync } from "node:fs";

export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
}

/** Undefined when the run is over cleartext. */
export function tlsFiles(): TlsFiles | undefined {
  const { BENCH_TLS_CERT: certFile, BENCH_TLS_KEY: keyFile } = process.env;
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}
