import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { manifestPathOf } from "../archive/archive-paths.ts";
import type { ArchiveStores } from "../archive/archive-stores.ts";
import { requireArchive } from "../archive/require-archive.ts";
import { toImage } from "../archive/to-image.ts";
import type { BackupService } from "../backup/backup-service.ts";
import type { EngineProbes } from "../engine/engine-probes.ts";
import { engines } from "../engine/engines.ts";
import { fail } from "../failure/failure.ts";
import type { ArchiveUse } from "../jobs/archive-use.ts";
import { createDigestCheck } from "../manifest/digest-check.ts";
import { type FoundFile, findFile } from "../manifest/find-file.ts";
import { displayPath } from "../manifest/manifest-entry.ts";
import { checkPaths } from "./check-restore.ts";

export interface DownloadRequest {
  /** Of a backup. */
  readonly uuid: string;
  /** Relative to the source. */
  readonly path: Uint8Array;
  /** Bytes at the beginning that the caller has already. */
  readonly offset: number;
}

/** A piece of a file. */
export interface DownloadedChunk {
  readonly offset: number;
  readonly data: Buffer;
  /** In the first chunk. */
  readonly name?: string;
  /** Of the whole file, in the last chunk. */
  readonly sha256?: Buffer;
}

export interface DownloadParts {
  readonly stores: ArchiveStores;
  readonly backups: BackupService;
  readonly probes: EngineProbes;
  readonly use: ArchiveUse;
}

/** Each one reads an archive and may hold a few megabytes. */
const maxDownloads = 16;
const retryAfterMs = 5_000;

/** Sends single files of backups. */
export interface Downloads {
  /** Everything rejects with a FailureError. Leaving the iteration ends the reading. */
  download(request: DownloadRequest, signal: AbortSignal): AsyncGenerator<DownloadedChunk>;
}

export function createDownloads({ stores, backups, probes, use }: DownloadParts): Downloads {
  let running = 0;

  async function find({ uuid, path, offset }: DownloadRequest) {
    if (uuid === "") {
      fail({ reason: "FIELD_REQUIRED", field: "snapshot_uuid", message: "snapshot_uuid is required" });
    }
    const [normal = Buffer.alloc(0)] = checkPaths([path]);
    const backup = backups.get(uuid);
    await requireArchive(stores, backup);
    await probes.require(backup.engine);
    const file = await findFile(manifestPathOf(stores.manifestFolder, uuid), normal);
    if (offset < 0 || offset > file.entry.size) {
      const message = `invalid offset ${offset}: ${displayPath(normal)} has ${file.entry.size} bytes`;
      fail({ reason: "FIELD_INVALID", field: "offset", message });
    }
    return { backup, file, name: basename(displayPath(normal)) };
  }

  return {
    async *download(request, signal) {
      if (running >= maxDownloads) {
        const message = `${maxDownloads} files are being downloaded already: repeat this later`;
        fail({ reason: "QUEUE_FULL", retryAfterMs, message });
      }
      running++;
      const endUse = use.begin(request.uuid);
      try {
        const { backup, file, name } = await find(request);
        const bytes = iterate<Buffer>((give, stop) =>
          engines[backup.engine].readFile(toImage(stores, backup), file, give, AbortSignal.any([signal, stop])),
        );
        yield* toChunks(bytes, file, name, request.offset);
      } finally {
        endUse();
        running--;
      }
    },
  };
}

/** The last chunk has the digest, so one is held back until the next has come. */
async function* toChunks(
  bytes: AsyncIterable<Buffer>,
  { entry }: FoundFile,
  name: string,
  offset: number,
): AsyncGenerator<DownloadedChunk> {
  const check = createDigestCheck(entry);
  let position = 0;
  let held: DownloadedChunk = { offset, data: Buffer.alloc(0), name };
  for await (const piece of bytes) {
    check.update(piece);
    const data = piece.subarray(Math.max(0, offset - position));
    position += piece.length;
    if (data.length === 0) continue;
    if (held.data.length > 0) {
      yield held;
      held = { offset: position - data.length, data };
    } else {
      held = { ...held, data };
    }
  }
  yield { ...held, sha256: check.end() };
}

/**
 * Iterates over what a producer gives. The producer waits until each item is taken; when the iteration is left, its signal aborts, and
 * its end is waited for.
 */
async function* iterate<Item>(
  produce: (give: (item: Item) => Promise<void>, stop: AbortSignal) => Promise<void>,
): AsyncGenerator<Item> {
  const { readable, writable } = new TransformStream<Item, Item>(undefined, { highWaterMark: 0 }, { highWaterMark: 0 });
  const writer = writable.getWriter();
  const stop = new AbortController();
  const produced = produce((item) => writer.write(item), stop.signal).then(
    () => writer.close(),
    (error) => writer.abort(error),
  );
  produced.catch(() => {});
  try {
    yield* readable as unknown as AsyncIterable<Item>;
  } finally {
    stop.abort();
    await produced.catch(() => {});
  }
}
