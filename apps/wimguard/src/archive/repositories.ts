import type { RepositoryAccess } from "../engine/engine.ts";
import { forgetBackup, forgetSnapshots } from "../engine/restic/repository/repository-upkeep.ts";
import type { Repositories } from "./archive-stores.ts";

export interface RepositoriesOptions {
  secretRefOf(destination: string): string;
  /** Called after a snapshot was removed; its data stays until the repository is pruned. */
  onForgotten(destination: string): void;
  readonly signal: AbortSignal;
}

/** Limits the wait for a repository, so that it cannot block the start of the daemon. */
const lookUpTimeoutMs = 60_000;
/** Limits the wait for another program's lock. */
const forgetTimeoutMs = 600_000;

/** Creates the catalogue's access to restic repositories. */
export function createRepositories({ secretRefOf, onForgotten, signal }: RepositoriesOptions): Repositories {
  const within = (timeoutMs: number): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const accessOf = (repository: string): RepositoryAccess => ({ repository, secretRef: secretRefOf(repository) });
  return {
    secretRefOf,
    async forget(destination, id) {
      await forgetSnapshots(accessOf(destination), [id], within(forgetTimeoutMs));
      onForgotten(destination);
    },
    async forgetBackup(destination, uuid) {
      await forgetBackup(accessOf(destination), uuid, within(lookUpTimeoutMs));
      // The data of an interrupted backup has no snapshot.
      onForgotten(destination);
    },
  };
}
