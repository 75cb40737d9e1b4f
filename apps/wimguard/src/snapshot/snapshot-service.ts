import type { BackupService } from "../backup/backup-service.ts";
import { checkDescription } from "../backup/check-description.ts";
import type { BackupChange, BackupStore, StoredBackup } from "../catalog/backup-store.ts";
import type { ListPage, ListRequest } from "../catalog/search-rows.ts";
import { fail } from "../failure/failure.ts";
import { checkTags, type Tags } from "./check-tags.ts";

/** What clients may change of a snapshot. */
export interface SnapshotChange {
  readonly description: string;
  readonly tags: Tags;
  readonly isPinned: boolean;
  /** False takes back that retention deletes it. */
  readonly isPurged: boolean;
}

/** Snapshots as clients see them: what completed backups have made, under their uuids. Everything rejects with a FailureError. */
export interface SnapshotService {
  get(uuid: string): StoredBackup;
  list(request: ListRequest): ListPage<StoredBackup>;
  /** @param etag of the snapshot that the change was made for; empty for any */
  update(uuid: string, etag: string, change: SnapshotChange): StoredBackup;
  /** Deletes it with its archive, or only says whether that would be possible. */
  delete(uuid: string, etag: string, isOnlyChecked: boolean): Promise<void>;
}

export interface SnapshotServiceParts {
  readonly backups: BackupService;
  readonly store: BackupStore;
  readonly list: (request: ListRequest) => ListPage<StoredBackup>;
}

/** Changes with every change that a client makes. */
export function etagOf({ revision }: StoredBackup): string {
  return String(revision);
}

export function createSnapshotService({ backups, store, list }: SnapshotServiceParts): SnapshotService {
  function get(uuid: string): StoredBackup {
    const backup = backups.get(uuid);
    if (backup.state === "completed") return backup;
    const message = `backup ${uuid} is ${backup.state.replace("_", " ")}: it has no snapshot`;
    fail({ reason: "SNAPSHOT_NOT_FOUND", uuid, message });
  }

  function getUnchanged(uuid: string, etag: string): StoredBackup {
    const snapshot = get(uuid);
    if (etag === "" || etag === etagOf(snapshot)) return snapshot;
    const message = `snapshot ${uuid} was changed meanwhile: read it again, then repeat this`;
    fail({ reason: "ETAG_MISMATCH", uuid, message });
  }

  return {
    get,
    list,

    update(uuid, etag, { description, tags, isPinned, isPurged }) {
      const { revision } = getUnchanged(uuid, etag);
      const change: BackupChange = {
        description: checkDescription(description),
        tags: checkTags(tags, "snapshot.tags"),
        isPinned,
        revision: revision + 1,
        ...(!isPurged && { purgeAtMs: null }),
      };
      store.change(uuid, change);
      return get(uuid);
    },

    async delete(uuid, etag, isOnlyChecked) {
      const snapshot = getUnchanged(uuid, etag);
      backups.checkDelete(snapshot);
      if (!isOnlyChecked) await backups.delete(uuid);
    },
  };
}
