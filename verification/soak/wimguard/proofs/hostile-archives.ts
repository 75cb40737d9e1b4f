import { checkHostileArchive } from "../../../../apps/wimguard/test/hostile.ts";
import { startTreeProgram, withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import type { Proof } from "../proof.ts";

/** Archives of random members, most of which try to leave the folder: restored and imported. */
export const hostileArchives: Proof = {
  items: "hostile archives",
  count: 2000,
  verdict: "nothing was written outside of the folder, none ended otherwise than well or with a failure",
  without: withoutPython,
  start() {
    const program = startTreeProgram();
    return {
      check: async (seed) => ({ refused: (await checkHostileArchive(seed, program)) ? 1 : 0 }),
      close: () => program.close(),
    };
  },
};
