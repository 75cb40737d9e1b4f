import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { type Clock, systemClock } from "@tercel/grpc";
import { resourceExhausted, unavailable } from "@tercel/grpc/errors";
import { createHookedInterceptor } from "@tercel/grpc/hooks";
import type { Log } from "../log/json-log.ts";
import { type StorageProblem, sqliteProblemOf } from "./storage-problem.ts";

/** Notices when calls fail because of the storage, answers them, and remembers it for the health checks. */
export interface StorageWatch {
  /**
   * Answers what SQLite has thrown with a status, and reports it. It belongs within the recovery, which takes any error for a mistake of
   * the program, and outside of all that uses a database.
   */
  readonly interceptor: Interceptor;
  /** What has failed since the storage was last known to work; undefined while it works. */
  readonly problem: StorageProblem | undefined;
  /** A write has succeeded. */
  reportRecovery(): void;
}

/** While the problem lasts, the log repeats it this often. */
const reminderMs = 60_000;

/** A disk that an operator has to clean up does not have room again at once. */
const retryAfterMs = 5_000;

const remedies: Readonly<Record<Exclude<StorageProblem, "locked">, string>> = {
  full: "free some space; the service recovers by itself",
  "not-writable": "make the folder writable again; the service recovers by itself",
  "not-accessible": "check the disk; the service recovers by itself",
  damaged: "stop the service and restore a backup",
};

/**
 * Creates the watch over the databases in a folder.
 *
 * @param dataDir Named in the log, never to a client.
 */
export function createStorageWatch(dataDir: string, log: Log, clock: Clock = systemClock): StorageWatch {
  let problem: StorageProblem | undefined;
  let sinceMs = 0;
  let loggedAtMs = 0;
  let failedCalls = 0;

  function report(found: StorageProblem, error: Error): void {
    // Another process holds the lock for longer than we wait: this passes, and says nothing about the disk.
    if (found === "locked") return;
    const nowMs = clock.nowMs();
    if (problem === undefined) {
      sinceMs = nowMs;
      failedCalls = 0;
    }
    failedCalls++;
    if (problem === found && nowMs - loggedAtMs < reminderMs) return;
    problem = found;
    loggedAtMs = nowMs;
    log.error("storage_failed", { problem, dataDir, error: error.message, remedy: remedies[found], failedCalls });
  }

  return {
    interceptor: createHookedInterceptor({
      onError(_request, _state, error) {
        const found = sqliteProblemOf(error);
        if (found === undefined) return error;
        report(found.problem, found.error);
        // Whoever has made a status of it knows better what the caller has to know.
        return error instanceof ConnectError ? error : statusOf(found.problem, found.error);
      },
    }),
    get problem() {
      return problem;
    },
    reportRecovery() {
      if (problem === undefined) return;
      problem = undefined;
      log.info("storage_recovered", { dataDir, failedCalls, afterMs: Math.round(clock.nowMs() - sinceMs) });
    },
  };
}

/**
 * The status of a call that met the problem. Nothing was stored: each call writes in one transaction.
 *
 * gRPC's list of codes names a full file system for RESOURCE_EXHAUSTED and "unrecoverable data loss or corruption" for DATA_LOSS;
 * the others pass, or another instance has a better disk: UNAVAILABLE.
 */
function statusOf(problem: StorageProblem, cause: Error): ConnectError {
  switch (problem) {
    case "full":
      return resourceExhausted({ message: "nothing was stored: the disk of the service is full", retryAfterMs, cause });
    case "damaged":
      return new ConnectError("the service's database is damaged", Code.DataLoss, undefined, undefined, cause);
    case "locked":
      return unavailable({ message: "nothing was stored: the database is in use", retryAfterMs: 1_000, cause });
    case "not-writable":
    case "not-accessible":
      return unavailable({ message: "the service cannot use its database at the moment", retryAfterMs, cause });
  }
}
