import { join } from "node:path";

const cache = join(import.meta.dirname, "../../../.cache");

/** Where runs keep what they have compiled, and how far they have come; ignored by git. */
export const compiledFolder: string = join(cache, "compiled");
export const soakFolder: string = join(cache, "soak");

export function ledgerPath(name: string): string {
  return join(soakFolder, `wimguard-${name}.json`);
}
