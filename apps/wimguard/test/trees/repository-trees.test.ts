// Long: restic derives a key from the password for each of its commands, half a second each.
import { describe, it } from "node:test";
import { withoutRestic } from "../restic/restic-tools.ts";
import { createRepositorySite } from "./repository-trees.ts";
import { withoutPython } from "./trees.ts";

describe("random trees in a repository", { skip: withoutRestic || withoutPython }, () => {
  it("come back as they were, by WimGuard and by restic itself", async (test) => {
    const site = await createRepositorySite(test);
    const first = Math.floor(Math.random() * 1_000_000);
    for (let seed = first; seed < first + 3; seed++) {
      await site.check(seed).catch((error) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
    }
  });
});
