import { createCancelSite } from "../../../../apps/wimguard/test/daemon/cancels.ts";
import { createSuiteContext } from "../../../../apps/wimguard/test/daemon/cleanup.ts";
import type { Proof } from "../proof.ts";

/** A backup is cancelled at any moment. */
export function cancels(engine: "tar" | "wim"): Proof {
  return {
    items: "cancels",
    count: 100,
    verdict: "the folder was as before, no program ran on, no record was in progress",
    async start() {
      const context = createSuiteContext();
      const site = await createCancelSite(context, engine === "tar" ? ".tar.zst" : ".wim");
      return {
        check: async (seed) => ({ "before the end": (await site.check(seed)) ? 1 : 0 }),
        close: () => context.clean(),
      };
    },
  };
}
