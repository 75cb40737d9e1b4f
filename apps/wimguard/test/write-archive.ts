import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Compression, FileEngineName } from "../src/engine/compression.ts";
import type { EngineWarning } from "../src/engine/engine.ts";
import { noRules } from "../src/source/source-rules.ts";
import { type PerformedWrite, performWrite } from "../src/thread/perform-write.ts";
import { recordEvents, unsyncedFiles } from "./trees/there-and-back.ts";

/** An archive that was written without a daemon. */
export interface WrittenTestArchive extends PerformedWrite {
  readonly archivePath: string;
  readonly manifestPath: string;
  readonly warnings: readonly EngineWarning[];
}

/** Backs up a folder to `archive` and `manifest` in another one. */
export async function writeArchive(
  engine: FileEngineName,
  source: string,
  folder: string,
  compression: Compression,
): Promise<WrittenTestArchive> {
  const [archivePath, manifestPath] = [join(folder, "archive"), join(folder, "manifest")];
  const origin = { uuid: randomUUID(), source, createTime: new Date(0).toISOString(), description: "" };
  const job = {
    engine,
    task: {
      source,
      partPath: archivePath,
      compression,
      name: "test",
      origin,
      leaveOut: [],
      rules: noRules,
      scratchPath: join(folder, "scratch"),
      previous: undefined,
      base: undefined,
    },
    manifestDraftPath: manifestPath,
    header: { uuid: origin.uuid, engine, source, createTime: origin.createTime },
  };
  const events = recordEvents();
  const written = await performWrite(unsyncedFiles, job, events, new AbortController().signal);
  return { ...written, archivePath, manifestPath, warnings: events.warnings };
}
