import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { type Entry, Entry_Kind, EntrySchema } from "../../gen/wimguard/v1/snapshot_pb.ts";
import { displayPath, type EntryKind, type ManifestEntry } from "../../manifest/manifest-entry.ts";
import { toNanoseconds } from "../../restore/compare-tree.ts";

const kindOf: Readonly<Record<EntryKind, Entry_Kind>> = {
  file: Entry_Kind.FILE,
  hardlink: Entry_Kind.FILE,
  folder: Entry_Kind.FOLDER,
  link: Entry_Kind.LINK,
  fifo: Entry_Kind.FIFO,
  "character-device": Entry_Kind.DEVICE,
  "block-device": Entry_Kind.DEVICE,
};

export function toEntry(entry: ManifestEntry): Entry {
  const { path, kind, size, mode, uid, gid, mtime, target, digest = "" } = entry;
  return create(EntrySchema, {
    path,
    displayPath: displayPath(path),
    kind: kindOf[kind],
    size: BigInt(size),
    mode,
    uid,
    gid,
    ...(mtime !== undefined && { mtime: toTimestamp(mtime) }),
    ...(kind === "link" && target !== undefined && { linkTarget: target }),
    digest,
  });
}

/** Converts decimal seconds; nanoseconds count forward, before 1970 too. */
function toTimestamp(seconds: string): Pick<Timestamp, "seconds" | "nanos"> {
  const time = toNanoseconds(seconds);
  const nanos = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: (time - nanos) / 1_000_000_000n, nanos: Number(nanos) };
}
