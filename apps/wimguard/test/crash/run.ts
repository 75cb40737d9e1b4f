// node --conditions=source apps/wimguard/test/crash/run.ts [points] [seed]
// The whole check of crash points and faults; `npm test` runs a sample.
import { checkCrashPoints, checkFaults } from "./crash-points.ts";
import { createCrashSite } from "./crash-site.ts";
import { runImageScenario } from "./scenario.ts";

const [points = "2000", seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const options = { points: Number(points), seed: Number(seed) };
const site = createCrashSite();
try {
  console.log(`seed ${seed}`);
  console.log(`${await checkCrashPoints(site, options)} crash points: nothing lost, nothing left`);
  console.log(`${await checkFaults(site, options)} faults: nothing lost, nothing left`);
  const shared = `${await checkCrashPoints(site, options, runImageScenario)} crash points`;
  console.log(`${shared} and ${await checkFaults(site, options, runImageScenario)} faults of a shared file: the same`);
} finally {
  site.remove();
}
