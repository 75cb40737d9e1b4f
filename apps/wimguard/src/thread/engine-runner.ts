import type { EngineEvents } from "../engine/engine.ts";
import type { PerformedRestore, RestoreJob } from "./perform-restore.ts";
import type { PerformedWrite, WriteJob } from "./perform-write.ts";

/** Runs the work of engines somewhere. Everything rejects with a FailureError, CANCELLED when the signal aborts. */
export interface EngineRunner {
  write(job: WriteJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedWrite>;
  restore(job: RestoreJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedRestore>;
  /** The SHA-256 of a file in hexadecimal. */
  hash(path: string, signal: AbortSignal): Promise<string>;
}
