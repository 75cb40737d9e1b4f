/** What a proxy in front of the server says of the client. */
export interface ForwardedRequest {
  /** The request's fields: without what the proxy's client may have made up. */
  readonly fields: readonly string[];
  /** Undefined: the proxy says nothing of it. */
  readonly peerAddress: string | undefined;
  readonly scheme: "http" | "https" | undefined;
  readonly authority: string | undefined;
}

const forwardedNames = /^(?:forwarded|x-forwarded-.+|x-real-ip)$/;
const hostPattern = /^[A-Za-z0-9._~-]+(?::[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?$/;

/** Whether a request has fields that say who sent it to a proxy. */
export function hasForwardedFields(fields: readonly string[]): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const initial = name.charCodeAt(0);
    // Asked for each request: most names need no more than this.
    if ((initial === 0x66 || initial === 0x78) && forwardedNames.test(name)) return true;
  }
  return false;
}

/** A request that did not come from a proxy which may say so: such fields are the client's own invention. */
export function withoutForwardedFields(fields: readonly string[]): ForwardedRequest {
  const kept = fields.filter((_, at) => !forwardedNames.test(fields[at - (at % 2)] as string));
  return { fields: kept, peerAddress: undefined, scheme: undefined, authority: undefined };
}

/**
 * A request that came from a trusted proxy. Of `X-Forwarded-For` each proxy has written the last entry: read from the end, the first address that
 * is not a trusted proxy's is the client's, and what is before it may be made up.
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

/** The address of an entry, which may have a port. Undefined for one that is not an address. */
export function addressOf(entry: string): string | undefined {
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?$/.exec(entry)?.[1];
  if (bracketed !== undefined) return bracketed;
  const withPort = /^([0-9.]+):[0-9]{1,5}$/.exec(entry)?.[1];
  return withPort ?? (plainAddress.test(entry) ? entry : undefined);
}
