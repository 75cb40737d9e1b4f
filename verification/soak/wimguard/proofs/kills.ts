import { createRandom } from "../../../../apps/wimguard/test/crash/crash-points.ts";
import { createSuiteContext } from "../../../../apps/wimguard/test/daemon/cleanup.ts";
import { killDaemons } from "../../../../apps/wimguard/test/daemon/kills.ts";
import { withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import type { Proof } from "../proof.ts";

const killsOfRound = 10;

/** A daemon, and sometimes an engine's program before it, is killed at random moments, ten times over the same folders. */
export const kills: Proof = {
  items: `rounds of ${killsOfRound} kills`,
  count: 50,
  verdict: "no completed backup was lost, nothing was left",
  without: withoutPython,
  start() {
    let [killed, completed] = [0, 0];
    return {
      async check(seed) {
        const context = createSuiteContext();
        try {
          completed += await killDaemons(context, killsOfRound, createRandom(seed));
          killed += killsOfRound;
        } finally {
          await context.clean();
        }
      },
      describe: () => `${killed} kills and ${completed} completed backups in this run`,
    };
  },
};
