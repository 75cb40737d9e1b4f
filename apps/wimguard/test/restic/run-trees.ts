// node --conditions=source apps/wimguard/test/restic/run-trees.ts [count] [seed]
// Random trees into a repository and back; `npm test` runs one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkStoredAndBack } from "./restic-trees.ts";

const [count = "300", first = "1"] = process.argv.slice(2);
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const parent = mkdtempSync(join(tmpdir(), "tercel-trees-"));
  try {
    await checkStoredAndBack(seed, parent);
  } catch (error) {
    throw new Error(`restic, seed ${seed}`, { cause: error });
  } finally {
    rmSync(parent, { recursive: true });
  }
}
console.log(`${count} trees from seed ${first} there and back by restic`);
