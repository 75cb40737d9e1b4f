import type { RepositoryAccess } from "../../engine.ts";
import { listSnapshots } from "../list-snapshot.ts";
import { readRestic } from "../restic-program.ts";
import { formatTagOption, formatUuidTag } from "../snapshot-origin.ts";
import { endOrphans } from "./end-orphans.ts";
import { pastStaleLocks } from "./stale-locks.ts";

/** Removes snapshots by their ids; those that are gone already are left alone. Their data stays until the repository is pruned. */
export async function forgetSnapshots(
  access: RepositoryAccess,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const known = new Set((await listSnapshots(access, [], signal)).map(({ id }) => id));
  const found = ids.filter((id) => known.has(id));
  if (found.length === 0) return;
  await pastStaleLocks(access, () => readRestic(access, ["forget", ...found], "remove a snapshot of", signal), signal);
}

/** Removes what a backup has stored that did not complete, and ends the program that may be about to. */
export async function forgetBackup(access: RepositoryAccess, uuid: string, signal: AbortSignal): Promise<void> {
  await endOrphans(formatTagOption(formatUuidTag(uuid)));
  const found = await listSnapshots(access, ["--tag", formatUuidTag(uuid)], signal);
  await forgetSnapshots(
    access,
    found.map(({ id }) => id),
    signal,
  );
}

/** Removes data that no snapshot needs any more. */
export async function pruneRepository(access: RepositoryAccess, signal: AbortSignal): Promise<void> {
  await pastStaleLocks(access, () => readRestic(access, ["prune"], "prune", signal), signal);
}
