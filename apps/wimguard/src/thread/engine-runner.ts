import type { EngineEvents } from "../engine/engine.ts";
import type { IndexJob } from "./perform-index.ts";
import type { PerformedRestore, RestoreJob } from "./perform-restore.ts";
import type { StoreJob } from "./perform-store.ts";
import type { PerformedVerify, VerifyJob } from "./perform-verify.ts";
import type { PerformedWrite, WriteJob } from "./perform-write.ts";

/** Runs the work of engines somewhere. Everything rejects with a FailureError, CANCELLED when the signal aborts. */
export interface EngineRunner {
  write(job: WriteJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedWrite>;
  store(job: StoreJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedWrite>;
  restore(job: RestoreJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedRestore>;
  index(job: IndexJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedWrite>;
  verify(job: VerifyJob, events: EngineEvents, signal: AbortSignal): Promise<PerformedVerify>;
  /** The SHA-256 of a file in hexadecimal. */
  hash(path: string, signal: AbortSignal): Promise<string>;
}
