import { Buffer } from "node:buffer";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Entry, Entry_Kind, Entry_KindSchema } from "../gen/wimguard/v1/snapshot_pb.ts";
import { formatBytes } from "../terminal/format.ts";
import { enumName } from "./enum-name.ts";

const letterOf: Partial<Record<Entry_Kind, string>> = {
  [Entry_Kind.FILE]: "-",
  [Entry_Kind.FOLDER]: "d",
  [Entry_Kind.LINK]: "l",
  [Entry_Kind.FIFO]: "p",
  [Entry_Kind.DEVICE]: "b",
};

/** Formats an entry as `ls -ln` does. */
export function formatEntry({ kind, mode, uid, gid, size, mtime, displayPath, linkTarget }: Entry): string {
  const letters = ["r", "w", "x"];
  const rights = Array.from({ length: 9 }, (_, at) => ((mode >> (8 - at)) & 1 ? letters[at % 3] : "-")).join("");
  const time = mtime === undefined ? "" : timestampDate(mtime).toISOString().slice(0, 19);
  const target = kind === Entry_Kind.LINK ? ` -> ${Buffer.from(linkTarget).toString()}` : "";
  const owner = `${uid}:${gid}`.padEnd(11);
  return `${letterOf[kind] ?? "?"}${rights} ${owner} ${formatBytes(Number(size)).padStart(8)} ${time} ${displayPath}${target}`;
}

export function entryToJson({ displayPath, path, kind, size, mode, uid, gid, mtime, linkTarget, digest }: Entry) {
  return {
    path: displayPath,
    pathBase64: Buffer.from(path).toString("base64"),
    kind: enumName(Entry_KindSchema, kind),
    size: Number(size),
    mode,
    uid,
    gid,
    ...(mtime !== undefined && { mtime: timestampDate(mtime).toISOString() }),
    ...(linkTarget.length > 0 && { linkTarget: Buffer.from(linkTarget).toString() }),
    ...(digest !== "" && { digest }),
  };
}
