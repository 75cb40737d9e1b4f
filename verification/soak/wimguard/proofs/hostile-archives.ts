import { checkHostileArchive } from "../../../../apps/wimguard/test/hostile.ts";
import { withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import type { Proof } from "../proof.ts";

/** Archives of random members, most of which try to leave the folder: restored and imported. */
export const hostileArchives: Proof = {
  items: "hostile archives",
  count: 2000,
  verdict: "nothing was written outside of the folder, none ended otherwise than well or with a failure",
  without: withoutPython,
  start() {
    let [checked, refused] = [0, 0];
    return {
      async check(seed) {
        if (await checkHostileArchive(seed)) refused++;
        checked++;
      },
      describe: () => `${refused} of ${checked} were refused`,
    };
  },
};
