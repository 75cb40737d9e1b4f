import { createRandom } from "../../../../apps/wimguard/test/crash/crash-points.ts";
import { createSuiteContext } from "../../../../apps/wimguard/test/daemon/cleanup.ts";
import { killDaemons } from "../../../../apps/wimguard/test/daemon/kills.ts";
import { withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import { buildForProof } from "../built-program.ts";
import type { Proof } from "../proof.ts";

const killsOfRound = 10;

/** A daemon, and sometimes an engine's program before it, is killed at random moments, ten times over the same folders. */
export const kills: Proof = {
  items: `rounds of ${killsOfRound} kills`,
  count: 50,
  verdict: "no completed backup was lost, nothing was left",
  without: withoutPython,
  start() {
    const built = buildForProof();
    return {
      async check(seed) {
        const context = createSuiteContext();
        try {
          const random = createRandom(seed);
          const completed = await killDaemons(context, { kills: killsOfRound, random, start: built.start });
          return { kills: killsOfRound, "completed backups": completed };
        } finally {
          await context.clean();
        }
      },
      close: () => built.remove(),
    };
  },
};
