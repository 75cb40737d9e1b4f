import { createSwapSite } from "../../../../apps/wimguard/test/hostile.ts";
import { withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import type { Proof } from "../proof.ts";

/** Restores into a folder in which a folder and a link to elsewhere take turns all the time. */
export const swaps: Proof = {
  items: "restores",
  count: 500,
  verdict: "nothing was written, replaced or removed through the link",
  without: withoutPython,
  async start() {
    const site = await createSwapSite();
    return { check: () => site.check(), close: () => site.close() };
  },
};
