import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { resolveRepository } from "../backup/check-repository.ts";
import { listSnapshots } from "../engine/restic/list-snapshot.ts";
import { checkRepository } from "../engine/restic/repository/repository-location.ts";
import type { ListedSnapshot } from "../engine/restic/restic-messages.ts";
import { parseOriginTags } from "../engine/restic/snapshot-origin.ts";
import { fail } from "../failure/failure.ts";
import { nameOfSource } from "../path/check-path.ts";
import type { FoundBackup, ImportParts } from "./found-backup.ts";

/** Opening a repository on another machine may take its time. */
const timeoutMs = 120_000;

/**
 * Finds the snapshots of a repository that the catalogue does not have. One that WimGuard has written gets the uuid, the source, the description
 * and the time of its backup back.
 *
 * @throws FailureError ARCHIVE_KNOWN when the catalogue has all of them, ARCHIVE_UNKNOWN for an empty repository
 */
export async function findInRepository(
  { stores, queue, probes }: Pick<ImportParts, "stores" | "queue" | "probes">,
  location: string,
): Promise<FoundBackup[]> {
  const { backups, repositories } = stores;
  const { path: repository } = await resolveRepository(checkRepository("location", location));
  await probes.require("restic");
  await queue.makeWay(repository);
  queue.check(repository);
  const secretRef = repositories.secretRefOf(repository);
  const listed = await listSnapshots({ repository, secretRef }, [], AbortSignal.timeout(timeoutMs));
  const known = new Set(backups.snapshotsIn(repository));
  const found = listed.filter(({ id }) => !known.has(id));
  if (listed.length === 0) {
    const message = `${repository} has no snapshots: it has nothing to import`;
    fail({ reason: "ARCHIVE_UNKNOWN", field: "location", path: repository, message });
  }
  if (found.length === 0) {
    const message = `the catalogue has all ${listed.length} snapshots of ${repository} already`;
    fail({ reason: "ARCHIVE_KNOWN", path: repository, message });
  }
  const taken = new Set<string>();
  return found.map((snapshot) => {
    const origin = parseOriginTags(snapshot.tags);
    // A snapshot that was copied has the origin of the other one.
    const isFree = origin !== undefined && !taken.has(origin.uuid) && backups.get(origin.uuid) === undefined;
    const uuid = isFree ? origin.uuid : randomUUID();
    taken.add(uuid);
    const root = rootOf(snapshot);
    const backup = {
      uuid,
      archiveId: uuid,
      name: origin === undefined ? basename(root) || root : nameOfSource(origin.source),
      source: origin?.source ?? root,
      destination: repository,
      engine: "restic",
      compression: "",
      rules: "",
      scheduleUuid: "",
      description: origin?.description ?? "",
      createdAtMs: origin === undefined ? snapshot.timeMs : Date.parse(origin.createTime),
    } as const;
    return { backup, archive: { archivePath: repository, image: 1, snapshot: { id: snapshot.id, root, secretRef } } };
  });
}

/** One that has several paths is taken from its top. */
function rootOf({ paths }: ListedSnapshot): string {
  const [root = "/", ...more] = paths;
  return more.length > 0 ? "/" : root;
}
