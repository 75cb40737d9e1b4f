/** A request with the client's address, scheme and authority from forwarding headers. */
export interface ForwardedRequest {
  /** The request's fields without untrusted forwarding headers. */
  readonly fields: readonly string[];
  /** Undefined if the proxy sends no address. */
  readonly peerAddress: string | undefined;
  readonly scheme: "http" | "https" | undefined;
  readonly authority: string | undefined;
}

const forwardedNames = /^(?:forwarded|x-forwarded-.+|x-real-ip)$/;
const hostPattern = /^[A-Za-z0-9._~-]+(?::[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?$/;

/** Whether a request has forwarding headers. */
export function hasForwardedFields(fields: readonly string[]): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const initial = name.charCodeAt(0);
    // Runs for every request: the first character excludes most names.
    if ((initial === 0x66 || initial === 0x78) && forwardedNames.test(name)) return true;
  }
  return false;
}

/** Removes the forwarding headers of a request that does not come from a trusted proxy. */
export function withoutForwardedFields(fields: readonly string[]): ForwardedRequest {
  const kept = fields.filter((_, at) => !forwardedNames.test(fields[at - (at % 2)] as string));
  return { fields: kept, peerAddress: undefined, scheme: undefined, authority: undefined };
}

/**
 * Reads the forwarding headers of a request from a trusted proxy. Each proxy appends the address of its peer to `X-Forwarded-For`. Read from the
 * end, the first address that is not a trusted proxy is the client; earlier entries can be forged.
 */
export function readForwardedFields(
  fields: readonly string[],
  isTrusted: (address: string) => boolean,
): ForwardedRequest {
  const hops = listOf(fields, "x-forwarded-for");
  let first = hops.length;
  while (first > 0) {
    const address = addressOf(hops[first - 1] as string);
    if (address === undefined) break;
    first--;
    if (!isTrusted(address)) break;
  }
  const believed = hops.slice(first);
  const rewritten: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (name === "x-forwarded-for" || name === "forwarded" || name === "x-real-ip") continue;
    rewritten.push(name, fields[at + 1] as string);
  }
  if (believed.length > 0) rewritten.push("x-forwarded-for", believed.join(", "));
  const scheme = listOf(fields, "x-forwarded-proto").at(-1);
  const host = listOf(fields, "x-forwarded-host").at(-1);
  return {
    fields: rewritten,
    peerAddress: believed[0],
    scheme: scheme === "http" || scheme === "https" ? scheme : undefined,
    authority: host !== undefined && hostPattern.test(host) ? host : undefined,
  };
}

function listOf(fields: readonly string[], name: string): string[] {
  const entries: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === name) entries.push(...(fields[at + 1] as string).split(",").map((one) => one.trim()));
  }
  return entries;
}

const plainAddress = /^[0-9A-Fa-f:.]+$/;

/** Returns the address of an entry without its port; undefined if it is not an address. */
export function addressOf(entry: string): string | undefined {
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?$/.exec(entry)?.[1];
  if (bracketed !== undefined) return bracketed;
  const withPort = /^([0-9.]+):[0-9]{1,5}$/.exec(entry)?.[1];
  return withPort ?? (plainAddress.test(entry) ? entry : undefined);
}
