import { createRandom } from "../../../../apps/wimguard/test/crash/crash-points.ts";
import { createSuiteContext } from "../../../../apps/wimguard/test/daemon/cleanup.ts";
import { fillDisk, withoutSmallDisks } from "../../../../apps/wimguard/test/daemon/fillings.ts";
import type { Proof } from "../proof.ts";

/** A small disk, with the catalogue on it, becomes full. */
export const fillings: Proof = {
  items: "fillings",
  count: 10,
  verdict: "everything that was completed stayed whole, nothing else was left",
  without: withoutSmallDisks(),
  start: () => ({
    async check(seed) {
      const context = createSuiteContext();
      try {
        return { "completed backups": await fillDisk(context, createRandom(seed)) };
      } finally {
        await context.clean();
      }
    },
  }),
};
