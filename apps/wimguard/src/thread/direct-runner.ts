import { hashFile } from "../archive/hash-file.ts";
import type { DurableFiles } from "../files/durable-files.ts";
import type { EngineRunner } from "./engine-runner.ts";
import { performIndex } from "./perform-index.ts";
import { performRestore } from "./perform-restore.ts";
import { performStore } from "./perform-store.ts";
import { performVerify } from "./perform-verify.ts";
import { performWrite } from "./perform-write.ts";

/** Runs engines in the thread of the caller: inside a thread of their own, and for tests. */
export function createDirectRunner(files: DurableFiles): EngineRunner {
  return {
    write: (job, events, signal) => performWrite(files, job, events, signal),
    store: (job, events, signal) => performStore(files, job, events, signal),
    restore: (job, events, signal) => performRestore(files, job, events, signal),
    index: (job, events, signal) => performIndex(files, job, events, signal),
    verify: performVerify,
    hash: (path, signal) => hashFile(path, signal),
  };
}
