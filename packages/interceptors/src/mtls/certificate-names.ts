import type { ClientCertificate } from "@tercel/grpc";
import { spiffeProblem } from "./spiffe-id.ts";

/** The workload names in a certificate, or why it has none. */
export type CertificateNames = { readonly names: readonly string[] } | { readonly problem: string };

/**
 * Returns URIs unchanged, then DNS names with the prefix `dns:`. Wildcard names are left out, because they do not identify a single workload.
 * A SPIFFE id must be the only URI (SPIFFE X509-SVID §2), or different readers could see different owners.
 */
export function namesOfCertificate(certificate: ClientCertificate): CertificateNames {
  const { uris, dnsNames, isAuthority } = certificate;
  const spiffeIds = uris.filter((uri) => /^spiffe:/i.test(uri));
  if (spiffeIds.length > 0) {
    if (uris.length > 1) return { problem: "it has a SPIFFE id and another URI" };
    if (isAuthority) return { problem: "it has a SPIFFE id and may sign other certificates" };
    const problem = spiffeProblem(spiffeIds[0] as string);
    if (problem !== undefined) return { problem };
  }
  const names = [...uris, ...dnsNames.map((name) => `dns:${name}`)].filter((name) => !name.includes("*"));
  return names.length === 0 ? { problem: "it has no URI or DNS name of a single workload" } : { names };
}
