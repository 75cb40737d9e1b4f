import { readFileSync } from "node:fs";
import type { ChannelOptions } from "@tercel/grpc";

/** The `tls` section of a client. */
export interface ClientTlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

/** Returns the TLS options of a channel. Files are read for each connection, so that a renewed certificate needs no restart. */
export function clientTls({
  caFile,
  certFile,
  keyFile,
  serverName,
}: ClientTlsFiles): NonNullable<ChannelOptions["tls"]> {
  return () => ({
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(certFile !== undefined && { cert: readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
    ...(serverName !== undefined && { servername: serverName }),
  });
}
