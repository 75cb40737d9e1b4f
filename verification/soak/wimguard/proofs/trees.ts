import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkThereAndBack } from "../../../../apps/wimguard/test/trees/there-and-back.ts";
import { startTreeProgram, withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import type { Proof } from "../proof.ts";

/** Random trees there and back, compared by a walker in another language, and opened by the engine's own program. */
export function trees(engine: "tar" | "wim", count: number): Proof {
  return {
    items: "trees",
    count,
    verdict: "all came back as they were, by WimGuard and by the engine's own program",
    without: withoutPython,
    // Trees are as much about what a file system keeps as about archives.
    onDisk: true,
    start() {
      const program = startTreeProgram();
      return {
        async check(seed) {
          const folder = mkdtempSync(join(tmpdir(), "tercel-trees-"));
          try {
            await checkThereAndBack(engine, seed, folder, program);
          } finally {
            rmSync(folder, { recursive: true });
          }
        },
        close: () => program.close(),
      };
    },
  };
}
