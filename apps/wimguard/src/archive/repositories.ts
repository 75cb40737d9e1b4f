import type { RepositoryAccess } from "../engine/engine.ts";
import { forgetBackup, forgetSnapshots } from "../engine/restic/repository/repository-upkeep.ts";
import type { Repositories } from "./archive-stores.ts";

export interface RepositoriesOptions {
  secretRefOf(destination: string): string;
  /** Called after something was removed: its data stays until the repository is pruned. */
  onForgotten(destination: string): void;
  readonly signal: AbortSignal;
}

/** A repository that does not respond must not keep the daemon from starting. */
const lookUpTimeoutMs = 60_000;
/** Another program may have locked it for a while. */
const forgetTimeoutMs = 600_000;

/** Creates what the catalogue does in repositories, by restic. */
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
      // What was stored before the end has no snapshot.
      onForgotten(destination);
    },
  };
}
