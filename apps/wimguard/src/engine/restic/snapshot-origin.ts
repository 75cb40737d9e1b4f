import { Buffer } from "node:buffer";
import { type ArchiveOrigin, checkOrigin } from "../../archive/archive-origin.ts";

const uuidTag = "wimguard:";
const originTag = "wimguard-origin:";

/** The tag by which the snapshot of a backup is found. */
export function formatUuidTag(uuid: string): string {
  return uuidTag + uuid;
}

/** A tag as an option of `restic backup`. */
export function formatTagOption(tag: string): string {
  return `--tag=${tag}`;
}

/** Formats what a snapshot says of the backup that has written it, as tags: with them, a catalogue can be made from the repository alone. */
export function formatOriginTags({ uuid, source, createTime, description }: ArchiveOrigin): string[] {
  // Commas separate tags, and base64 has none.
  const origin = Buffer.from(JSON.stringify({ uuid, source, createTime, description })).toString("base64url");
  return [formatUuidTag(uuid), originTag + origin];
}

/** Parses the tags of a snapshot; undefined for one that WimGuard has not written. Who can write to the repository has written them. */
export function parseOriginTags(tags: readonly string[]): ArchiveOrigin | undefined {
  const encoded = tags.find((tag) => tag.startsWith(originTag))?.slice(originTag.length);
  if (encoded === undefined) return undefined;
  try {
    return checkOrigin(JSON.parse(Buffer.from(encoded, "base64url").toString()) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}
