import type { Address } from "../../transport/client/client-connection.ts";

/** An address as error messages write it and as targets are written: `host:port`, `[::1]:443`, `unix:/run/x.sock`. */
export function formatAddress(address: Address): string {
  return "path" in address ? `unix:${address.path}` : formatHostPort(address.host, address.port);
}

/**
 * A key for one place to connect to, with the name of the server there: a connection made under one name is never used for another, because the server
 * was verified for that name only.
 */
export function addressKey(address: Address): string {
  const where = formatAddress(address);
  return address.authority === undefined ? where : `${where} as ${address.authority}`;
}

/** RFC 3986 §3.2.2: the colons of an IPv6 address would run into the port's without brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
