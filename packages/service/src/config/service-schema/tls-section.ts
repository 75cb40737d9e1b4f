import { type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, text } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";

/** Treats an empty path as unset. */
const filled = (path: string): string | undefined => (path === "" ? undefined : path);
const file = (description: string) => text({ expects: "the path of a file", description });

/** `tls` of a server. Its files are watched: a renewed certificate takes effect without a restart. */
export const serverTlsSection = pipe(
  strictObject({
    enabled: optional(flag({ description: "Default: true if `cert_file` is set." })),
    cert_file: optional(file("Certificate chain, as PEM."), ""),
    key_file: optional(file("Private key of the certificate, as PEM."), ""),
    ca_file: optional(file("Authorities of client certificates, as PEM."), ""),
    client_auth: optional(
      choice(["none", "optional", "required"], {
        description: "Whether clients must present a certificate (mutual TLS). Needs `ca_file`.",
      }),
      "none",
    ),
  }),
  transform(({ enabled, cert_file: certFile, key_file: keyFile, ca_file: caFile, client_auth: clientAuth }) =>
    dropUndefined({
      enabled: enabled ?? certFile !== "",
      clientAuth,
      certFile: filled(certFile),
      keyFile: filled(keyFile),
      caFile: filled(caFile),
    }),
  ),
);

/** `tls` of a client. */
export const clientTlsSection = pipe(
  strictObject({
    enabled: optional(flag({ description: "Whether connections use TLS." }), false),
    ca_file: optional(file("Authorities of the server's certificate, as PEM. Default: those that Node trusts."), ""),
    cert_file: optional(file("Client certificate, as PEM. Needs `key_file`."), ""),
    key_file: optional(file("Private key of the client certificate, as PEM."), ""),
    server_name: optional(text({ description: "Name in the server's certificate, if it is not the service's." })),
  }),
  transform(({ enabled, ca_file: caFile, cert_file: certFile, key_file: keyFile, server_name: serverName }) =>
    dropUndefined({
      enabled,
      caFile: filled(caFile),
      certFile: filled(certFile),
      keyFile: filled(keyFile),
      serverName,
    }),
  ),
);

export type ServerTlsSection = InferOutput<typeof serverTlsSection>;
export type ClientTlsSection = InferOutput<typeof clientTlsSection>;
