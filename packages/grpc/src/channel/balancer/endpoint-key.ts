import { formatAddress } from "../address-text.ts";
import type { Endpoint } from "../resolver/index.ts";

/** What makes it the same endpoint in the next update: its addresses, in any order (gRFC A61). */
export function endpointKey({ addresses }: Endpoint): string {
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined) return formatAddress(only);
  return addresses.map(formatAddress).sort().join(" ");
}
