import type { Address } from "../../transport/client/client-connection.ts";
import { isIpv4, isIpv6 } from "../naming/ip-address.ts";
import type { Endpoint } from "../resolver/index.ts";
import { endpointWeight } from "./endpoint-attributes.ts";

/**
 * Orders endpoints at random; one with twice the weight comes before another twice as often (gRFC A113: sorted by the
 * weight-th root of a random number, descending).
 */
export function shuffleEndpoints(endpoints: readonly Endpoint[], random: () => number): readonly Endpoint[] {
  return endpoints
    .map((endpoint) => ({ endpoint, key: random() ** (1 / endpointWeight(endpoint)) }))
    .sort((a, b) => b.key - a.key)
    .map(({ endpoint }) => endpoint);
}

/**
 * Takes the address families in turns, beginning with the first address's (RFC 8305 §4): where one family leads nowhere, every
 * second attempt has a chance. Within a family the order stays.
 */
export function interleaveFamilies(addresses: readonly Address[]): readonly Address[] {
  const families = new Map<string, Address[]>();
  for (const address of addresses) {
    const family = familyOf(address);
    const members = families.get(family);
    if (members === undefined) families.set(family, [address]);
    else members.push(address);
  }
  if (families.size <= 1) return addresses;
  const lists = [...families.values()];
  const turns = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: turns }, (_, turn) => lists.flatMap((list) => list.slice(turn, turn + 1))).flat();
}

function familyOf(address: Address): string {
  if ("path" in address) return "unix";
  if (isIpv4(address.host)) return "ipv4";
  return isIpv6(address.host) ? "ipv6" : "name";
}
