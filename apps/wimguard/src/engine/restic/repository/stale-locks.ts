import { hostname } from "node:os";
import { FailureError } from "../../../failure/failure.ts";
import { hasErrorCode } from "../../../failure/to-failure.ts";
import type { RepositoryAccess } from "../../engine.ts";
import { readRestic } from "../restic-program.ts";

/** A lock of a repository, as restic prints it. */
interface Lock {
  readonly hostname: string;
  readonly pid: number;
}

/**
 * Runs work on a repository. If a lock is in its way that a program of this machine has left when it was killed, the lock is removed and the
 * work is done again. A lock of another machine stays: only its administrator knows whether it is in use.
 */
export async function pastStaleLocks<Result>(
  access: RepositoryAccess,
  work: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isLocked = error instanceof FailureError && error.failure.reason === "REPOSITORY_LOCKED";
    if (!isLocked || !(await removeStaleLocks(access, signal))) throw error;
    return work();
  }
}

/** Returns whether there were stale locks and no others. */
async function removeStaleLocks(access: RepositoryAccess, signal: AbortSignal): Promise<boolean> {
  const list = await readRestic(access, ["list", "locks", "--no-lock"], "list the locks of", signal);
  const ids = list.match(/^[0-9a-f]{64}$/gm) ?? [];
  for (const id of ids) {
    const text = await readRestic(access, ["cat", "lock", id, "--no-lock"], "read a lock of", signal);
    // `restic unlock` would remove the lock of another machine as well that has not been renewed for half an hour.
    if (!isLeft(JSON.parse(text) as Lock)) return false;
  }
  if (ids.length === 0) return false;
  await readRestic(access, ["unlock"], "unlock", signal);
  return true;
}

function isLeft({ hostname: host, pid }: Lock): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return hasErrorCode(error, "ESRCH");
  }
}
