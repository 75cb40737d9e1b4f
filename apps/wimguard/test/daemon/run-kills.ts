// node --conditions=source apps/wimguard/test/daemon/run-kills.ts [kills] [seed]
// Kills a daemon again and again; `npm test` does so three times.
import { createRandom } from "../crash/crash-points.ts";
import { createSuiteContext } from "./cleanup.ts";
import { killDaemons } from "./kills.ts";

const [kills = "500", seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const context = createSuiteContext();
try {
  console.log(`seed ${seed}`);
  const completed = await killDaemons(context, Number(kills), createRandom(Number(seed)));
  console.log(`${kills} kills, ${completed} backups completed: nothing lost, nothing left`);
} finally {
  await context.clean();
}
