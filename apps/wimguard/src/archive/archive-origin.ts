import { Buffer } from "node:buffer";

/** Metadata in an archive about its backup, from which a catalogue can be rebuilt. */
export interface ArchiveOrigin {
  readonly uuid: string;
  readonly source: string;
  /** RFC 3339. */
  readonly createTime: string;
  readonly description: string;
}

/** The beginning of an origin in a skippable zstd frame. */
const mark = '{"wimguard":1,';
const maxCharacters = 16_384;

/** Formats an origin as it is stored in a .tar.zst file. */
export function formatOrigin({ uuid, source, createTime, description }: ArchiveOrigin): Buffer {
  return Buffer.from(JSON.stringify({ wimguard: 1, uuid, source, createTime, description }));
}

/** Parses the content of a frame; undefined if it is not an origin. The content is untrusted, so it is validated. */
export function parseOrigin(content: Buffer): ArchiveOrigin | undefined {
  const text = content.toString("utf8");
  if (!text.startsWith(mark)) return undefined;
  try {
    return checkOrigin(JSON.parse(text) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/** Returns a valid origin, or undefined. */
export function checkOrigin(fields: Readonly<Record<string, unknown>>): ArchiveOrigin | undefined {
  const { uuid, source, createTime, description = "" } = fields;
  if (typeof uuid !== "string" || !/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid))
    return undefined;
  if (!isText(source) || !source.startsWith("/") || !isText(description)) return undefined;
  if (typeof createTime !== "string" || Number.isNaN(Date.parse(createTime))) return undefined;
  return { uuid, source, createTime, description };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxCharacters && !value.includes("\0");
}
