import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { createRandom } from "../crash/crash-points.ts";
import type { CleanupContext } from "./cleanup.ts";
import { startInProcess } from "./daemon-in-process.ts";
import { childrenOf } from "./kill-child.ts";
import { untilEnded } from "./running-backup.ts";
import { afterChanges, watchChanges } from "./watch-changes.ts";

/** A daemon whose backups are cancelled. */
export interface CancelSite {
  /** Cancels a backup at a random moment, and checks that nothing of it is left. Returns whether it came before the end. */
  check(seed: number): Promise<boolean>;
}

/** Starts a daemon, and counts how many changes of files a backup makes. */
export async function createCancelSite(context: CleanupContext, ending: ".tar.zst" | ".wim"): Promise<CancelSite> {
  const daemon = await startInProcess(context);
  const { source, destinations, data } = daemon.folders;
  for (let folder = 0; folder < 10; folder++) {
    mkdirSync(join(source, `${folder}`));
    for (let at = 0; at < 20; at++)
      writeFileSync(join(source, `${folder}`, `${at}`), `${folder} ${at} `.repeat(1 + 400 * at));
  }
  const destination = join(destinations, `a${ending}`);
  let changes = 0;
  const stopCounting = watchChanges(daemon.folders, () => {
    changes++;
  });
  const { uuid: first } = await daemon.client.backupToEnd({ source, destination });
  stopCounting();
  await daemon.client.backup.deleteBackup({ uuid: first });
  return {
    async check(seed) {
      const controller = new AbortController();
      const moment = Math.floor(createRandom(seed)() * (changes + 2));
      const stopWatching = afterChanges(daemon.folders, moment, () => controller.abort());
      const before = { names: readdirSync(destinations), manifests: readdirSync(join(data, "manifests")) };
      let [uuid, isCompleted] = ["", false];
      try {
        const updates = daemon.client.backup.createBackup({ source, destination }, { signal: controller.signal });
        for await (const update of updates) {
          uuid = update.uuid;
          isCompleted = update.status === "completed";
        }
      } catch (error) {
        assert.equal(ConnectError.from(error).code, Code.Canceled, String(error));
      } finally {
        stopWatching();
      }
      // Before the record there is nothing to end.
      const state = uuid === "" ? await lastState() : await untilEnded(daemon, uuid);
      const { backups } = await daemon.client.backup.listBackups({ limit: 1000 });
      assert.deepEqual(
        backups.filter(({ status }) => status === "in_progress"),
        [],
      );
      assert.ok(
        !isCompleted || state === "completed",
        `the client was told that ${uuid} is completed, and it is ${state}`,
      );
      if (state === "completed") {
        const [{ uuid: made } = { uuid: "" }] = backups.filter(({ status }) => status === "completed");
        await daemon.client.backup.deleteBackup({ uuid: made });
      }
      assert.deepEqual(readdirSync(destinations), before.names);
      assert.deepEqual(readdirSync(join(data, "manifests")), before.manifests);
      assert.deepEqual(
        childrenOf(process.pid).filter((name) => name === "tar" || name === "wimlib-imagex"),
        [],
      );
      return state !== "completed";
    },
  };

  /**
   * Of a call that was cancelled before its first message: the daemon may read it later, and begin a job that it cancels at once. By the end of a
   * backup that begins now it has.
   */
  async function lastState(): Promise<string> {
    const barrier = join(destinations, `barrier${ending}`);
    const { uuid } = await daemon.client.backupToEnd({ source, destination: barrier });
    await daemon.client.backup.deleteBackup({ uuid });
    const { backups } = await daemon.client.backup.listBackups({ limit: 1000 });
    const [last] = backups;
    if (last === undefined) return "cancelled";
    return last.status === "in_progress" ? untilEnded(daemon, last.uuid) : last.status;
  }
}
