import { createDigestCheck } from "../../manifest/digest-check.ts";
import type { FoundFile } from "../../manifest/find-file.ts";
import type { ArchiveImage, Engine, EngineEvents } from "../engine.ts";
import { maxNameBytes, maxNames, readInOrder } from "./read-in-order.ts";
import { readFile } from "./read-wim.ts";

/** Many files for each start of the program. What it does not read well is read alone, so that the error names the file. */
export const verifyFiles: Engine["verifyFiles"] = async (archive, files, events, signal) => {
  for (const batch of batchesOf(files)) {
    const good = await verifyBatch(archive, batch, events, signal);
    for (const file of batch.slice(good)) await verifyFile(archive, file, events, signal);
  }
};

function* batchesOf(files: readonly FoundFile[]): Generator<FoundFile[]> {
  let batch: FoundFile[] = [];
  let nameBytes = 0;
  for (const file of files) {
    const { length } = file.entry.path;
    if (batch.length >= maxNames || nameBytes + length > maxNameBytes) {
      yield batch;
      batch = [];
      nameBytes = 0;
    }
    batch.push(file);
    nameBytes += length;
  }
  if (batch.length > 0) yield batch;
}

/** Returns how many files are as they were backed up. @throws FailureError ARCHIVE_DAMAGED that names one that is not */
async function verifyBatch(
  archive: ArchiveImage,
  files: readonly FoundFile[],
  events: EngineEvents,
  signal: AbortSignal,
): Promise<number> {
  let at = 0;
  const entries = files.map(({ entry }) => entry);
  const checks = entries.map((entry) => createDigestCheck(entry));
  const { code, ended, isLonger } = await readInOrder(
    archive,
    entries,
    {
      onBytes(bytes) {
        checks[at]?.update(bytes);
        events.onBytes(bytes.length);
      },
      onEnd() {
        checks[at++]?.end();
      },
    },
    signal,
  );
  return code === 0 && !isLonger ? ended : Math.min(ended, files.length - 1);
}

async function verifyFile(
  archive: ArchiveImage,
  file: FoundFile,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<void> {
  const check = createDigestCheck(file.entry);
  await readFile(
    archive,
    file,
    async (bytes) => {
      check.update(bytes);
      events.onBytes(bytes.length);
    },
    signal,
  );
  check.end();
}
