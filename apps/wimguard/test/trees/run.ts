// node --conditions=source apps/wimguard/test/trees/run.ts ENGINE [count] [seed]
// Random trees there and back; `npm test` runs a few.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkThereAndBack } from "./there-and-back.ts";

const [engine = "tar", count = "1000", first = "1"] = process.argv.slice(2);
if (engine !== "tar" && engine !== "wim") throw new Error(`unknown engine ${engine}: use tar or wim`);
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const parent = mkdtempSync(join(tmpdir(), "tercel-trees-"));
  try {
    await checkThereAndBack(engine, seed, parent);
  } catch (error) {
    throw new Error(`${engine}, seed ${seed}`, { cause: error });
  } finally {
    rmSync(parent, { recursive: true });
  }
}
console.log(`${count} trees from seed ${first} there and back by ${engine}`);
