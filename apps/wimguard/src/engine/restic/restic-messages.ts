/** What `restic backup --json` says in one line. */
export type BackupMessage =
  | { readonly kind: "status"; readonly bytesDone: number }
  /** An entry that could not be read. */
  | { readonly kind: "unreadable"; readonly path: string; readonly problem: string }
  | {
      readonly kind: "summary";
      readonly addedBytes: number;
      /** Before restic 0.16 its beginning; empty where there is none. */
      readonly snapshotId: string;
    };

/** Parses a line; undefined for text and for messages that are not needed. */
export function parseBackupMessage(line: string): BackupMessage | undefined {
  const fields = parseObject(line);
  if (fields === undefined) return undefined;
  switch (fields.message_type) {
    case "status":
      return { kind: "status", bytesDone: numberOf(fields.bytes_done) };
    case "summary":
      // What was sent, compressed, is known since restic 0.17.
      return {
        kind: "summary",
        addedBytes: numberOf(fields.data_added_packed ?? fields.data_added),
        snapshotId: String(fields.snapshot_id ?? ""),
      };
    case "error":
      return { kind: "unreadable", path: String(fields.item ?? ""), problem: problemOf(fields.error) };
  }
  return undefined;
}

/** Go's errors before 0.17 are printed as their parts, later as `message`. */
function problemOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "cannot be read";
  const { message, Op, Err } = error as { message?: unknown; Op?: unknown; Err?: unknown };
  if (typeof message === "string") return message;
  return typeof Op === "string" ? `${Op} failed (error ${String(Err)})` : "cannot be read";
}

/** One entry of a snapshot, as `restic ls --json` lists it. */
export interface ListedNode {
  /** Absolute. Bytes that are not UTF-8 are U+FFFD each. */
  readonly path: string;
  readonly kind: "file" | "folder" | "link" | "fifo" | "character-device" | "block-device";
  readonly size: number;
  /** The permissions of Unix. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 as decimal text. */
  readonly mtime: string;
}

const kindOfType: Readonly<Record<string, ListedNode["kind"]>> = {
  file: "file",
  dir: "folder",
  symlink: "link",
  fifo: "fifo",
  chardev: "character-device",
  dev: "block-device",
};

/** Parses a line; undefined for what is not an entry of a kind that can be restored. */
export function parseNode(line: string): ListedNode | undefined {
  const fields = parseObject(line);
  const kind = fields === undefined ? undefined : kindOfType[String(fields.type)];
  if (fields === undefined || kind === undefined || typeof fields.path !== "string") return undefined;
  return {
    path: fields.path,
    kind,
    size: kind === "file" ? numberOf(fields.size) : 0,
    mode: toUnixMode(numberOf(fields.mode)),
    uid: numberOf(fields.uid),
    gid: numberOf(fields.gid),
    mtime: toSeconds(String(fields.mtime)),
  };
}

/** A snapshot, as `restic snapshots --json` lists it. */
export interface ListedSnapshot {
  readonly id: string;
  readonly timeMs: number;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
}

/** Parses the whole list. */
export function parseSnapshots(text: string): ListedSnapshot[] {
  return ((JSON.parse(text) as SnapshotFields[] | null) ?? []).map(toListed);
}

/** Parses the line before the entries of a snapshot, which says what snapshot it is; undefined for another line. */
export function parseSnapshot(line: string): ListedSnapshot | undefined {
  const fields = parseObject(line);
  return fields?.struct_type === "snapshot" ? toListed(fields as unknown as SnapshotFields) : undefined;
}

interface SnapshotFields {
  readonly id: string;
  readonly time: string;
  readonly paths?: string[];
  readonly tags?: string[];
}

function toListed({ id, time, paths = [], tags = [] }: SnapshotFields): ListedSnapshot {
  return { id, timeMs: Date.parse(time), paths, tags };
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** Go keeps the three special bits elsewhere. */
function toUnixMode(mode: number): number {
  const bit = (at: number): number => Math.floor(mode / 2 ** at) % 2;
  return (mode % 0o1000) + bit(23) * 0o4000 + bit(22) * 0o2000 + bit(20) * 0o1000;
}

/** Converts RFC 3339 with up to nine digits of a second. */
export function toSeconds(time: string): string {
  const [, fraction = ""] = /\.(\d{1,9})(?=[Z+-])/.exec(time) ?? [];
  const wholeMs = Date.parse(time.replace(/\.\d+(?=[Z+-])/, ""));
  const nanoseconds = BigInt(wholeMs) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  const [sign, size] = nanoseconds < 0n ? ["-", -nanoseconds] : ["", nanoseconds];
  const rest = size % 1_000_000_000n;
  const digits = rest === 0n ? "" : `.${String(rest).padStart(9, "0").replace(/0+$/, "")}`;
  return `${sign}${size / 1_000_000_000n}${digits}`;
}
