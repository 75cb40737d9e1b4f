import type { HttpRequestHead } from "@tercel/grpc/protocols";
import { findHeader } from "./read-fields.ts";

/**
 * Whether a request comes from a web page that may not call this server. Browsers ask first before most requests, but not before they open a
 * WebSocket or send a form, cookies included: such a request is judged by its origin. One without an origin does not come from a page.
 */
export function isForeignOrigin(
  { fields, authority, scheme }: Pick<HttpRequestHead, "fields" | "authority" | "scheme">,
  allows: (origin: string) => boolean,
): boolean {
  const origin = findHeader(fields, "origin");
  if (origin === undefined) return false;
  // A proxy may speak TLS for a server that does not: a page that came over TLS is not less trusted.
  const isSame =
    authority !== undefined &&
    authority !== "" &&
    (origin === `${scheme}://${authority}` || origin === `https://${authority}`);
  return !isSame && !allows(origin);
}
