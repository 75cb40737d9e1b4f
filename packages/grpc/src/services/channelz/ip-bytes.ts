import { isIpv4, isIpv6 } from "../../channel/naming/ip-address.ts";

/** IPv4 inside IPv6, as a socket that listens to both reports it (RFC 4291 §2.5.5.2). */
const mappedIpv4 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/** An address as 4 or 16 bytes in network order; undefined for text that is not an IP address. */
export function ipBytes(text: string): Uint8Array | undefined {
  const plain = text.replace(mappedIpv4, "");
  if (isIpv4(plain)) return Uint8Array.from(plain.split("."), Number);
  if (!isIpv6(plain)) return undefined;
  const [withoutZone = ""] = plain.split("%", 1);
  const [head = "", tail] = withoutZone.split("::");
  const before = groupBytes(head);
  const after = groupBytes(tail ?? "");
  const zeros = new Array<number>(16 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after]);
}

function groupBytes(groups: string): number[] {
  if (groups === "") return [];
  return groups.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >>> 8, value & 0xff];
  });
}
