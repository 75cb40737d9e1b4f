import { hash } from "node:crypto";
import type { StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { callInfo } from "@tercel/grpc";
import { callerKey } from "../call/caller.ts";
import { claimsKey } from "../call/claims.ts";

/** The maximum length of a key. Longer keys are replaced by their digest. */
const maxKeyChars = 128;

/**
 * The default `keyOf`: the subject of a verified token, or the identified workload, or the address. Callers without any of these (Unix
 * sockets, in memory) share one count.
 */
export function clientKey(request: UnaryRequest | StreamRequest): string {
  const claims = request.contextValues.get(claimsKey);
  // A subject is unique only within its issuer (RFC 7519 §4.1.2).
  if (claims?.sub !== undefined) return `sub ${claims.iss} ${claims.sub}`;
  const caller = request.contextValues.get(callerKey);
  if (caller !== undefined) return `${caller.kind} ${caller.name}`;
  return addressKey(request);
}

/**
 * A `keyOf` for a limit before authentication: the IPv4 address of the connection's client, or the /64 of its IPv6 address. Callers without an
 * address share one count.
 */
export function addressKey(request: UnaryRequest | StreamRequest): string {
  const address = request.contextValues.get(callInfo)?.peerAddress;
  return address === undefined ? "local" : `addr ${networkOf(address)}`;
}

export function boundedKey(key: string): string {
  return key.length <= maxKeyChars ? key : hash("sha256", key, "base64");
}

/** Returns the IPv4 address in `host:port`, or the /64 of an IPv6 address, because a customer usually has a whole /64. */
export function networkOf(peerAddress: string): string {
  const host = peerAddress.slice(0, peerAddress.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  if (!host.includes(":")) return host;
  // An IPv4-mapped IPv6 address: otherwise, all of IPv4 would be one /64.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  if (mapped !== null) return mapped[1] as string;
  const [front = "", back] = (host.split("%")[0] as string).split("::");
  const groups = front === "" ? [] : front.split(":");
  if (back !== undefined) {
    const last = back === "" ? [] : back.split(":");
    while (groups.length + last.length < 8) groups.push("0");
    groups.push(...last);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
