import { dirname, join } from "node:path";

/** The part that becomes the archive, in the same folder. A backup's uuid makes it unique. */
export function partPathOf(destination: string, uuid: string): string {
  return join(dirname(destination), `.wimguard-${uuid}.part`);
}

/** The folder that becomes the target of a restore, next to it. */
export function stagingPathOf(target: string, uuid: string): string {
  return join(dirname(target), `.wimguard-${uuid}.restore`);
}

/** The folder whose entries are moved into the target of a restore; it is on the same file system. */
export function mergeStagingPathOf(target: string, uuid: string): string {
  return join(target, `.wimguard-${uuid}.restore`);
}

export function manifestPathOf(folder: string, uuid: string): string {
  return join(folder, `${uuid}.jsonl.zst`);
}

/** A file that an engine needs while it writes. It is named like the rest, so that a crash leaves nothing that is not found again. */
export function scratchPathOf(folder: string, uuid: string): string {
  return join(folder, `.${uuid}.scratch`);
}

/** A manifest while it is written. */
export function manifestDraftPathOf(folder: string, uuid: string): string {
  return join(folder, `.${uuid}.draft`);
}
