import { addressKey } from "../naming/address-text.ts";
import type { Endpoint } from "../resolver/index.ts";
import { endpointInstance } from "./endpoint-attributes.ts";

/**
 * What makes it the same endpoint in the next update: its addresses, in any order (gRFC A61), and the instance at them where
 * the resolver knows it. Another instance at the same address is a process that has just started: what was learned of the one
 * before, such as a pause after failed attempts, does not apply to it.
 */
export function endpointKey(endpoint: Endpoint): string {
  const instance = endpointInstance(endpoint);
  const { addresses } = endpoint;
  const [only] = addresses;
  const where =
    addresses.length === 1 && only !== undefined ? addressKey(only) : addresses.map(addressKey).sort().join(" ");
  return instance === undefined ? where : `${where} #${instance}`;
}
