import { type InferOutput, optional, pipe, strictObject, transform } from "valibot";
import { choice, flag, text } from "../values/basic-values.ts";
import { dropUndefined } from "../values/drop-undefined.ts";

/** An empty text is how the printed files say that there is none. */
const filled = (path: string): string | undefined => (path === "" ? undefined : path);
const file = (description: string) => text({ expects: "the path of a file", description });

/** `tls` of a server. Files are followed: a renewed certificate holds without a restart. */
export const serverTlsSection = pipe(
  strictObject({
    enabled: optional(flag({ description: "Default: true where `cert_file` is set." })),
    cert_file: optional(file("The certificate and those of the authorities between it and the root, as PEM."), ""),
    key_file: optional(file("The certificate's private key, as PEM."), ""),
    ca_file: optional(file("The authorities whose certificates clients may show, as PEM."), ""),
    client_auth: optional(
      choice(["none", "optional", "required"], {
        description: "Whether clients show a certificate (mutual TLS). Needs `ca_file`.",
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
    enabled: optional(flag(), false),
    ca_file: optional(
      file("The authorities that the server's certificate may come from, as PEM. Default: those that Node trusts."),
      "",
    ),
    cert_file: optional(file("The certificate to show to the server, as PEM. With `key_file`."), ""),
    key_file: optional(file("Its private key, as PEM."), ""),
    server_name: optional(
      text({ description: "The name that the server's certificate must have, where it is not the service's." }),
    ),
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
