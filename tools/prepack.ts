// What npm runs in a package's folder before it packs or publishes it: builds the package, or fails and says why.
import { dirname } from "node:path";
import { packingProblem } from "./packing-problem.ts";

const problem = packingProblem(dirname(import.meta.dirname), process.cwd());
if (problem !== undefined) {
  console.error(`cannot pack: ${problem}`);
  process.exitCode = 1;
}
