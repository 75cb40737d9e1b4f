import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readErrorReason } from "@tercel/grpc/errors";
import { engines } from "../../src/engine/engines.ts";
import { readManifest } from "../../src/manifest/manifest-file.ts";
import { recordEvents } from "../trees/there-and-back.ts";
import { buildTree } from "../trees/trees.ts";
import type { CleanupContext } from "./cleanup.ts";
import { type DaemonFolders, type DaemonStart, makeFolders, startDaemon } from "./daemon-process.ts";
import { killChildOf } from "./kill-child.ts";
import { afterChanges } from "./watch-changes.ts";

const noEvents = recordEvents();
const never = new AbortController().signal;

/** About so many changes of files make a backup. */
const changesOfBackup = 40;
const engineNames = ["tar", "wimlib-imagex"];

export interface KillOptions {
  readonly kills: number;
  readonly random: () => number;
  /** Default: the sources. */
  readonly start?: Pick<DaemonStart, "program" | "env">;
}

/**
 * Kills a daemon, or an engine's program first, at random moments while it backs up and deletes, starts it again, and checks that nothing that
 * was completed is lost and nothing else is left. Returns how many backups had been completed.
 */
export async function killDaemons(
  context: CleanupContext,
  { kills, random, start = {} }: KillOptions,
): Promise<number> {
  const folders = makeFolders(context);
  buildTree(Math.floor(random() * 1_000_000), folders.source, "utf8");
  /** Destinations of backups that clients were told of as completed, and that they have not asked to delete. */
  const kept = new Map<string, string>();
  const verifyChanged = createVerifier();
  const check = (client: Client): Promise<void> => checkFolders(folders, client, { kept, verifyChanged });
  let completed = 0;
  for (let round = 0; round <= kills; round++) {
    const daemon = await startDaemon(context, { folders, ...start });
    await check(daemon.client);
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
      await check(daemon.client);
      isKilled = true;
      daemon.signal("SIGKILL");
      break;
    }
    await daemon.ended;
    stopWatching();
  }
  return completed;
}

/**
 * Verifies archives as their engine does, by reading them. One whose inode, size and ctime are as they were then is not read again: no
 * program can change a file and leave its ctime.
 */
function createVerifier(): (path: string) => Promise<void> {
  const verified = new Map<string, string>();
  return async (path) => {
    const { dev, ino, size, ctimeNs } = statSync(path, { bigint: true });
    const identity = `${dev}:${ino}:${size}:${ctimeNs}`;
    if (verified.get(path) === identity) return;
    await engines[path.endsWith(".wim") ? "wim" : "tar"].verify(path, noEvents, never);
    verified.set(path, identity);
  };
}

type Client = Awaited<ReturnType<typeof startDaemon>>["client"];

async function checkFolders(
  { data, destinations }: DaemonFolders,
  wim: Client,
  { kept, verifyChanged }: { kept: ReadonlyMap<string, string>; verifyChanged: (path: string) => Promise<void> },
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
    assert.equal(completed.find((backup) => backup.uuid === uuid)?.destination, destination, `backup ${uuid} was lost`);
  }
  for (const { uuid, destination } of completed) {
    await verifyChanged(destination);
    for await (const _ of readManifest(join(data, "manifests", `${uuid}.jsonl.zst`)));
  }
}
