import type { Address } from "../../transport/client/client-connection.ts";
import { formatHostPort } from "./address-text.ts";
import { isIpv4, isIpv6 } from "./ip-address.ts";

/** A channel's target, read and checked. */
export interface ParsedTarget {
  /** What the caller wrote; error messages name it. */
  readonly text: string;
  /** The same as a URI: a target without a scheme gets that of dns. Metrics name it, so that one target has one name. */
  readonly uri: string;
  /** Lower case; chooses the resolver. `dns` for a target without one. */
  readonly scheme: string;
  /** The text between `//` and the next `/`, percent-decoded; empty without. For dns the name server. */
  readonly resolverAuthority: string;
  /** The name to resolve: what follows the scheme and the authority, percent-decoded, without its first slash. */
  readonly endpoint: string;
  /** What follows a question mark, as written; only where the scheme belongs to a resolver of the caller's. */
  readonly query?: string;
  /**
   * The addresses that the target itself names: one of a host and port for dns, all of them for ipv4, ipv6 and static, the
   * path for unix. Empty for other schemes.
   */
  readonly addresses: readonly Address[];
  /**
   * For the `:authority` header of each call, and with its host the name to verify under TLS, unless the caller sets another. An
   * address with an `authority` of its own has that instead.
   */
  readonly authority: string;
}

export interface ParseTargetOptions {
  /**
   * Whether connections use TLS, which decides the port of a host without one: 443, or 80 without TLS. gRPC's implementations
   * differ there. The authority goes out as written, and HTTP reads one without a port as the default port of the call's
   * `:scheme` (RFC 9110 §4.2), so that is the port to connect to. Default false.
   */
  readonly tls?: boolean;
  /** Schemes of resolvers next to the built-in ones. */
  readonly schemes?: Iterable<string>;
}

/** The schemes that need no resolver of the caller's. */
export const builtinSchemes: readonly string[] = ["dns", "ipv4", "ipv6", "static", "unix"];

/**
 * Reads a target as in gRPC's naming document. Without a scheme it is a host, perhaps with a port, for dns. A host that is
 * named like a scheme needs `dns:///` before it. Also reads `static:///a:1,b:2`: a list of hosts that are not resolved in
 * advance.
 *
 * @throws TypeError that names the target and says what is wrong and how to write it.
 */
export function parseTarget(text: string, options: ParseTargetOptions = {}): ParsedTarget {
  const known = [...builtinSchemes, ...(options.schemes ?? [])];
  const defaultPort = options.tls === true ? 443 : 80;
  const refuse = (reason: string): TypeError => new TypeError(`target ${JSON.stringify(text)}: ${reason}`);

  const scheme = schemeOf(text, known);
  if (scheme === undefined) {
    const address = readHostPort(text, defaultPort, refuse);
    return {
      text,
      uri: `dns:///${text}`,
      scheme: "dns",
      resolverAuthority: "",
      endpoint: text,
      addresses: [address],
      authority: dnsAuthority(text),
    };
  }
  if (!known.includes(scheme)) {
    throw refuse(
      `unknown scheme "${scheme}"; known are ${known.join(", ")}. A host and port is written "localhost:8080"`,
    );
  }
  const isBuiltin = builtinSchemes.includes(scheme);
  if (isBuiltin && /[?#]/.test(text)) {
    throw refuse("a target cannot have a query or a fragment; write %3F for ? and %23 for #");
  }
  if (text.includes("#")) throw refuse("a target cannot have a fragment; write %23 for #");

  const queryStart = indexOrEnd(text, "?", 0);
  const afterScheme = text.slice(scheme.length + 1, queryStart);
  const query = text.slice(queryStart + 1);
  const hasAuthority = afterScheme.startsWith("//");
  const pathStart = hasAuthority ? indexOrEnd(afterScheme, "/", 2) : 0;
  const resolverAuthority = hasAuthority ? decode(afterScheme.slice(2, pathStart), refuse) : "";
  const path = decode(afterScheme.slice(pathStart), refuse);
  const endpoint = path.startsWith("/") ? path.slice(1) : path;
  if (endpoint === "") {
    const hint = hasAuthority && resolverAuthority !== "" ? `; did you mean "${scheme}:///${resolverAuthority}"?` : "";
    throw refuse(`nothing follows the scheme${hasAuthority ? " and authority" : ""}${hint}`);
  }
  if (resolverAuthority !== "" && scheme !== "dns" && isBuiltin) {
    throw refuse(`${scheme} does not take an authority: write three slashes, or none, after "${scheme}:"`);
  }

  const base = { text, uri: text, scheme, resolverAuthority, endpoint };
  switch (scheme) {
    case "dns":
      if (resolverAuthority !== "") checkDnsServer(resolverAuthority, refuse);
      return {
        ...base,
        addresses: [readHostPort(endpoint, defaultPort, refuse)],
        authority: dnsAuthority(endpoint),
      };
    case "unix":
      if (path.includes("\0")) throw refuse("a socket's path must not contain NUL; abstract sockets are not supported");
      // A socket does not have a name to verify or to route by: gRPC's implementations agree on localhost.
      return { ...base, addresses: [{ path }], authority: "localhost" };
    case "ipv4":
    case "ipv6":
    case "static": {
      const addresses = endpoint.split(",").map((one) => readHostPort(one, defaultPort, refuse));
      for (const { host } of addresses) checkHostOfScheme(scheme, host, refuse);
      const [first] = addresses;
      return {
        ...base,
        // Each server of a list is called and verified by what the list calls it; the channel as a whole by the first name.
        addresses:
          addresses.length === 1
            ? addresses
            : addresses.map((address) => ({ ...address, authority: hostPortAuthority(address) })),
        authority: first === undefined ? "" : hostPortAuthority(first),
      };
    }
    default:
      return { ...base, ...(query !== "" && { query }), addresses: [], authority: encodeAuthority(endpoint) };
  }
}

type Refuse = (reason: string) => TypeError;

/** The lower-case scheme; undefined when the text is a bare host, perhaps with a port. */
function schemeOf(text: string, known: readonly string[]): string | undefined {
  const colon = text.indexOf(":");
  if (colon === -1) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  if (known.includes(scheme)) return scheme;
  // What follows a host is a number; anything else was meant as a scheme.
  const isUri = /^[a-z][a-z0-9+.-]*$/.test(scheme) && /^[^0-9]/.test(text.slice(colon + 1));
  return isUri ? scheme : undefined;
}

/** Reads `host`, `host:port`, `[ipv6]`, `[ipv6]:port` or a bare IPv6 address. */
function readHostPort(text: string, defaultPort: number, refuse: Refuse): { host: string; port: number } {
  if (isIpv6(text)) return { host: text, port: defaultPort };
  const isBracketed = text.startsWith("[");
  const hostEnd = isBracketed ? text.indexOf("]") + 1 : indexOrEnd(text, ":", 0);
  const written = text.slice(0, hostEnd);
  const host = isBracketed ? written.slice(1, -1) : written;
  const rest = text.slice(hostEnd);
  if (isBracketed && !isIpv6(host))
    throw refuse(`the brackets of ${JSON.stringify(text)} do not contain an IPv6 address`);
  if (!isBracketed && rest.indexOf(":", 1) !== -1) {
    throw refuse(`${JSON.stringify(text)} has too many colons: an IPv6 address with a port is written "[::1]:8080"`);
  }
  if (!isBracketed && host !== "") checkHost(host, refuse);
  if (rest === "") {
    if (host === "") throw refuse("the host is missing");
    return { host, port: defaultPort };
  }
  if (!/^:[0-9]{1,5}$/.test(rest) || Number(rest.slice(1)) > 65_535 || Number(rest.slice(1)) === 0) {
    throw refuse(`${JSON.stringify(rest)} is not a port: expected a colon and a number from 1 to 65535 after the host`);
  }
  // ":8080" is a port of this machine, as in grpc-go.
  return { host: host === "" ? "localhost" : host, port: Number(rest.slice(1)) };
}

/** Lets through what a resolver or a header could not misread; the resolver judges whether the name exists. */
function checkHost(host: string, refuse: Refuse): void {
  if (!/^[A-Za-z0-9._~-]+$/.test(host)) {
    throw refuse(`${JSON.stringify(host)} is not a host; write an international name in its ASCII form (xn--…)`);
  }
  if (host.length > 254) throw refuse("the host is longer than the 253 characters and final dot that a name may have");
}

function checkHostOfScheme(scheme: string, host: string, refuse: Refuse): void {
  if (scheme === "ipv4" && !isIpv4(host)) throw refuse(`${JSON.stringify(host)} is not an IPv4 address`);
  if (scheme === "ipv6" && !isIpv6(host)) throw refuse(`${JSON.stringify(host)} is not an IPv6 address`);
}

function checkDnsServer(server: string, refuse: Refuse): void {
  const { host } = readHostPort(server, 53, refuse);
  // A name here would have to be resolved before the name server can be reached.
  if (!isIpv4(host) && !isIpv6(host)) {
    throw refuse(
      `the DNS server ${JSON.stringify(server)} has to be an IP address; if it is the host to connect to, write "dns:///${server}"`,
    );
  }
}

/** The name as written, with or without port, as in grpc-go and grpc-js. */
function dnsAuthority(endpoint: string): string {
  if (isIpv6(endpoint)) return encodeAuthority(`[${endpoint}]`);
  return endpoint.startsWith(":") ? `localhost${endpoint}` : encodeAuthority(endpoint);
}

function hostPortAuthority(address: { host: string; port: number }): string {
  return encodeAuthority(formatHostPort(address.host, address.port));
}

/** RFC 3986 §3.2: what an authority may hold stays, the rest is percent-encoded. */
function encodeAuthority(name: string): string {
  return encodeURIComponent(name).replace(/%(?:3A|5B|5D|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent);
}

function decode(text: string, refuse: Refuse): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse("a % is not followed by the code of a character; write %25 for the sign itself");
  }
}

function indexOrEnd(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index === -1 ? text.length : index;
}
