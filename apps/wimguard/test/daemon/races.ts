import assert from "node:assert/strict";
import { connect } from "../../src/client/connect.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonStart, makeFolders, spawnDaemon } from "./daemon-process.ts";

/** Starts two daemons over one folder at once: one serves, the other is refused and says who has the catalogue. */
export async function raceDaemons(start: DaemonStart = {}): Promise<void> {
  const context = createSuiteContext();
  try {
    const folders = makeFolders(context);
    const daemons = [spawnDaemon(folders, start), spawnDaemon(folders, start)];
    context.after(async () => {
      for (const { child } of daemons) child.kill("SIGKILL");
      await Promise.all(daemons.map(({ ended }) => ended));
    });
    const outcomes = await Promise.all(
      daemons.map(({ listening, ended }) =>
        Promise.race([
          listening.then(
            () => "listening",
            () => ended,
          ),
          ended,
        ]),
      ),
    );
    assert.deepEqual(outcomes.map(String).sort(), ["11", "listening"]);
    const refused = daemons[outcomes.indexOf(11)];
    assert.match(refused?.log.text ?? "", /is in use/);
    // The config that the two have prepared is the one that the first works with.
    const wim = await connect(await daemons[outcomes.indexOf("listening")]?.listening, { folder: folders.data });
    assert.equal((await wim.backup.listBackups({})).total, 0);
    await wim.close();
  } finally {
    await context.clean();
  }
}
