import { dirname, join } from "node:path";

/** Returns the path of the part that becomes the archive, in the same folder. The backup's uuid makes it unique. */
export function partPathOf(destination: string, uuid: string): string {
  return join(dirname(destination), `.wimguard-${uuid}.part`);
}

/** Returns the path of the folder that becomes the target of a restore, next to it. */
export function stagingPathOf(target: string, uuid: string): string {
  return join(dirname(target), `.wimguard-${uuid}.restore`);
}

/** Returns the path of the folder whose entries are moved into the target of a restore, on the same file system. */
export function mergeStagingPathOf(target: string, uuid: string): string {
  return join(target, `.wimguard-${uuid}.restore`);
}

export function manifestPathOf(folder: string, uuid: string): string {
  return join(folder, `${uuid}.jsonl.zst`);
}

/** Returns the path of an engine's temporary file, named so that recovery finds it after a crash. */
export function scratchPathOf(folder: string, uuid: string): string {
  return join(folder, `.${uuid}.scratch`);
}

/** Returns the path of a manifest that is being written. */
export function manifestDraftPathOf(folder: string, uuid: string): string {
  return join(folder, `.${uuid}.draft`);
}
