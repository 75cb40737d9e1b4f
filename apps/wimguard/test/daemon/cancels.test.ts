import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { createCancelSite } from "./cancels.ts";

const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";

describe("a backup that is cancelled", () => {
  for (const [ending, skip] of [
    [".tar.zst", false],
    [".wim", withoutWim],
  ] as const) {
    it(`leaves no file, no program and no record in progress, whenever that is: ${ending}`, { skip }, async (test) => {
      const site = await createCancelSite(test, ending);
      const first = Math.floor(Math.random() * 1_000_000);
      for (let seed = first; seed < first + 8; seed++) await site.check(seed);
    });
  }
});
