import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readErrorReason } from "@tercel/grpc/errors";
import { engines } from "../../src/engine/engines.ts";
import { readManifest } from "../../src/manifest/manifest-file.ts";
import { recordEvents } from "../trees/there-and-back.ts";
import { buildTree } from "../trees/trees.ts";
import type { CleanupContext } from "./cleanup.ts";
import { type DaemonFolders, makeFolders, startDaemon } from "./daemon-process.ts";
import { killChildOf } from "./kill-child.ts";
import { afterChanges } from "./watch-changes.ts";

const noEvents = recordEvents();
const never = new AbortController().signal;

/** About so many changes of files make a backup. */
const changesOfBackup = 40;
const engineNames = ["tar", "wimlib-imagex"];

/**
 * Kills a daemon, or an engine's program first, at random moments while it backs up and deletes, starts it again, and checks that nothing that
 * was completed is lost and nothing else is left. Returns how many backups had been completed.
 */
export async function killDaemons(context: CleanupContext, kills: number, random: () => number): Promise<number> {
  const folders = makeFolders(context);
  buildTree(Math.floor(random() * 1_000_000), folders.source, "utf8");
  /** Destinations of backups that clients were told of as completed, and that they have not asked to delete. */
  const kept = new Map<string, string>();
  let completed = 0;
  for (let round = 0; round <= kills; round++) {
    const daemon = await startDaemon(context, { folders });
    await checkFolders(folders, daemon.client, kept);
    if (round === kills) break;
    let [isKilled, isChildKilled] = [false, false];
    const isChildMeant = random() < 0.3;
    const stopWatching = afterChanges(folders, Math.floor(random() * 3 * changesOfBackup), () => {
      isChildKilled = isChildMeant && killChildOf(daemon.pid, engineNames);
      if (isChildKilled) return;
      isKilled = true;
      daemon.signal("SIGKILL");
    });
    for (let at = 0; ; at++) {
      const name = `${round}-${at}${random() < 0.3 ? ".wim" : ".tar.zst"}`;
      try {
        const destination = join(folders.destinations, name);
        const { uuid } = await daemon.client.backupToEnd({ source: folders.source, destination });
        kept.set(uuid, destination);
        completed++;
        if (random() < 0.5) {
          kept.delete(uuid);
          await daemon.client.backup.deleteBackup({ uuid });
        }
      } catch (error) {
        if (!isKilled && !(isChildKilled && readErrorReason(error)?.reason === "ENGINE_DIED")) throw error;
        if (isKilled) break;
      }
      if (!isChildKilled) continue;
      // The daemon itself has to have cleaned up; then it is killed as well.
      await checkFolders(folders, daemon.client, kept);
      isKilled = true;
      daemon.signal("SIGKILL");
      break;
    }
    await daemon.ended;
    stopWatching();
  }
  return completed;
}

type Client = Awaited<ReturnType<typeof startDaemon>>["client"];

async function checkFolders(
  { data, destinations }: DaemonFolders,
  wim: Client,
  kept: ReadonlyMap<string, string>,
): Promise<void> {
  const { backups } = await wim.backup.listBackups({ limit: 1000 });
  assert.deepEqual(
    backups.filter(({ status }) => status === "in_progress"),
    [],
  );
  const completed = backups.filter(({ status }) => status === "completed");
  assert.deepEqual(
    new Set(readdirSync(destinations)),
    new Set(completed.map(({ destination }) => destination.slice(destinations.length + 1))),
  );
  assert.deepEqual(
    new Set(readdirSync(join(data, "manifests"))),
    new Set(completed.map(({ uuid }) => `${uuid}.jsonl.zst`)),
  );
  for (const [uuid, destination] of kept) {
    assert.ok(
      completed.some((backup) => backup.uuid === uuid),
      `the completed backup ${uuid} was lost`,
    );
    assert.ok(existsSync(destination));
  }
  for (const { uuid, destination } of completed) {
    // The engine's own check reads the whole archive.
    await engines[destination.endsWith(".wim") ? "wim" : "tar"].verify(destination, noEvents, never);
    for await (const _ of readManifest(join(data, "manifests", `${uuid}.jsonl.zst`)));
  }
}
