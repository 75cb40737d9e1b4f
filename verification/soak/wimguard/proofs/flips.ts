import { createFlipSite } from "../../../../apps/wimguard/test/flips.ts";
import type { Proof } from "../proof.ts";

/** One bit of an archive is not as it was written, anywhere. */
export function flips(engine: "tar" | "wim"): Proof {
  return {
    items: "flipped bits",
    count: 1000,
    verdict: "each was found by a check of the archive",
    async start() {
      const site = await createFlipSite(engine);
      return {
        check: async (seed) => ({ "with the name of a file": (await site.check(seed)) ? 1 : 0 }),
        close: () => site.close(),
      };
    },
  };
}
