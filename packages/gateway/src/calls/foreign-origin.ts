import type { HttpRequestHead } from "@tercel/grpc/protocols";
import { findHeader } from "./read-fields.ts";

/**
 * Whether a request comes from a web page that may not call this server. Browsers send a preflight before most requests, but not before they open
 * a WebSocket or send a form, which include cookies. So these requests are checked by their origin. A request without an origin does not
 * come from a page.
 */
export function isForeignOrigin(
  { fields, authority, scheme }: Pick<HttpRequestHead, "fields" | "authority" | "scheme">,
  allows: (origin: string) => boolean,
): boolean {
  const origin = findHeader(fields, "origin");
  if (origin === undefined) return false;
  // A proxy may terminate TLS for the server, so a page that was loaded over TLS is trusted as well.
  const isSame =
    authority !== undefined &&
    authority !== "" &&
    (origin === `${scheme}://${authority}` || origin === `https://${authority}`);
  return !isSame && !allows(origin);
}
