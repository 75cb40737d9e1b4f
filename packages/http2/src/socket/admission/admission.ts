import type { LimitName } from "../../errors/limit-name.ts";
import { isLoopback } from "../loopback.ts";

/** Counts the connections of a listener, of all peers and of each peer's address. Each `enter` needs a `leave` with the same address. */
export class Admission {
  private readonly maxConnections: number;
  private readonly maxPerAddress: number;
  private readonly byNetwork = new Map<string, number>();
  private total = 0;

  constructor(maxConnections: number, maxPerAddress: number) {
    this.maxConnections = maxConnections;
    this.maxPerAddress = maxPerAddress;
  }

  /** The limit that one more connection from this address would exceed. */
  limitFor(address: string | undefined): LimitName | undefined {
    if (this.total >= this.maxConnections) return "connections";
    const network = networkOf(address);
    if (network === undefined) return undefined;
    return (this.byNetwork.get(network) ?? 0) >= this.maxPerAddress ? "connections_per_address" : undefined;
  }

  enter(address: string | undefined): void {
    this.total++;
    const network = networkOf(address);
    if (network !== undefined) this.byNetwork.set(network, (this.byNetwork.get(network) ?? 0) + 1);
  }

  leave(address: string | undefined): void {
    this.total--;
    const network = networkOf(address);
    if (network === undefined) return;
    const count = (this.byNetwork.get(network) ?? 1) - 1;
    if (count === 0) this.byNetwork.delete(network);
    else this.byNetwork.set(network, count);
  }
}

/**
 * What counts as one peer: an IPv4 address, or the first 64 bits of an IPv6 address, because one host may use all of the
 * rest (RFC 6177). Undefined for those that are not counted: Unix sockets, and this machine itself, where a proxy may
 * stand for any number of peers.
 */
export function networkOf(address: string | undefined): string | undefined {
  if (address === undefined || isLoopback(address)) return undefined;
  const v4 = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  if (!v4.includes(":")) return v4;
  const [front = "", back] = v4.split("%", 1).join("").split("::");
  const groups = front === "" ? [] : front.split(":");
  if (back !== undefined) {
    const last = back === "" ? [] : back.split(":");
    while (groups.length + last.length < 8) groups.push("0");
    groups.push(...last);
  }
  return groups.slice(0, 4).join(":");
}
