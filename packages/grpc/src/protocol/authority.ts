/** A host name, or an IPv6 address in brackets, perhaps with a port. User information is not allowed (RFC 9113 §8.3.1). */
const authorityForm = /^(?:\[[0-9A-Za-z:.%]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+)(?::[0-9]{1,5})?$/;

/** Whether the text may be sent as `:authority`: `host` or `host:port`. */
export function isAuthority(text: unknown): text is string {
  return typeof text === "string" && text.length <= 512 && authorityForm.test(text);
}

/** Returns the host of an authority: without the port, the brackets of an IPv6 address and its zone. TLS verifies this name. */
export function hostOfAuthority(authority: string): string {
  const host = authority.replace(/:[0-9]*$/, "");
  if (!host.startsWith("[")) return host;
  const end = host.search(/[\]%]/);
  return host.slice(1, end === -1 ? host.length : end);
}
