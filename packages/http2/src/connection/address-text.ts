/** IPv4 inside IPv6, as a socket that listens to both reports it (RFC 4291 §2.5.5.2). */
const mappedIpv4 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** `host:port` as in a URL: IPv6 in brackets. */
export function addressText(address: string | undefined, port: number | undefined): string | undefined {
  if (address === undefined || port === undefined) return undefined;
  const plain = address.replace(mappedIpv4, "");
  return plain.includes(":") ? `[${plain}]:${port}` : `${plain}:${port}`;
}
