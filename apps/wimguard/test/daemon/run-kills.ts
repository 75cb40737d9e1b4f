// node --conditions=source apps/wimguard/test/daemon/run-kills.ts [kills] [seed]
// Kills a daemon again and again; `npm test` does so three times.
import { createRandom } from "../crash/crash-points.ts";
import { killDaemons } from "./kills.ts";

const [kills = "500", seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const cleanup: (() => unknown)[] = [];
try {
  console.log(`seed ${seed}`);
  const completed = await killDaemons(
    { after: (work) => void cleanup.unshift(work as () => unknown) },
    Number(kills),
    createRandom(Number(seed)),
  );
  console.log(`${kills} kills, ${completed} backups completed: nothing lost, nothing left`);
} finally {
  for (const work of cleanup) await work();
}
