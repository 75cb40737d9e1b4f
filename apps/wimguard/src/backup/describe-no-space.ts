import { statfs } from "node:fs/promises";
import type { Failure } from "../failure/failure.ts";
import type { ByteCount } from "../progress/progress-counter.ts";

/** Adds the free space and the remaining bytes of the source to the failure of a full disk. */
export async function describeNoSpace(
  failure: Failure,
  folder: string | undefined,
  count: ByteCount,
): Promise<Failure> {
  if (failure.reason !== "NO_SPACE" || folder === undefined) return failure;
  const free = await statfs(folder).then(
    ({ bavail, bsize }) => `${bavail * bsize} bytes are free in ${folder}`,
    () => `the free space in ${folder} is unknown`,
  );
  const left = count.bytesTotal - count.bytesDone;
  const all = count.bytesTotal > 0 ? `, and the archive of ${count.bytesTotal} bytes did not fit` : "";
  const needed = left > 0 ? `, and ${left} bytes of the source were still to be written` : all;
  return { ...failure, path: folder, message: `no space left: ${free}${needed}` };
}
