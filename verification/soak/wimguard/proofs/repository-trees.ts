import { createSuiteContext } from "../../../../apps/wimguard/test/daemon/cleanup.ts";
import { withoutRestic } from "../../../../apps/wimguard/test/restic/restic-tools.ts";
import { createRepositorySite } from "../../../../apps/wimguard/test/trees/repository-trees.ts";
import { startTreeProgram, withoutPython } from "../../../../apps/wimguard/test/trees/trees.ts";
import type { Proof } from "../proof.ts";

/** Random trees there and back by a repository, compared by a walker in another language, and restored by restic itself. */
export const repositoryTrees: Proof = {
  items: "trees",
  count: 300,
  verdict: "all came back as they were, by WimGuard and by restic itself",
  without: withoutRestic || withoutPython,
  async start() {
    const context = createSuiteContext();
    const program = startTreeProgram();
    context.after(() => program.close());
    const site = await createRepositorySite(context, program);
    return { check: (seed) => site.check(seed), close: () => context.clean() };
  },
};
