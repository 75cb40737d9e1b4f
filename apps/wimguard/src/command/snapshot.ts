import { Buffer } from "node:buffer";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { EngineSchema } from "../gen/wimguard/v1/common_pb.ts";
import { Difference_Change, Difference_ChangeSchema, type Snapshot } from "../gen/wimguard/v1/snapshot_pb.ts";
import { formatBytes, formatTable, formatTime } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { entryToJson, formatEntry } from "./entry-text.ts";
import { enumName } from "./enum-name.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { parseTag } from "./start-backup.ts";
import { withDaemon } from "./with-daemon.ts";

export interface SnapshotListOptions extends CommonOptions {
  readonly filter?: string;
  readonly limit?: string;
}

export interface EntriesOptions extends CommonOptions {
  readonly recursive?: true;
}

const maxPageSize = 1000;

/** `wimguard snapshot list`: prints snapshots, newest first. */
export async function listSnapshots(options: SnapshotListOptions, output: Console): Promise<ExitCode> {
  const limit = parseLimit(options.limit);
  return withDaemon(options, async (wim) => {
    const { snapshots, totalSize } = await wim.snapshot.listSnapshots({
      pageSize: limit,
      filter: options.filter ?? "",
    });
    const header = ["UUID", "CREATED", "ENGINE", "SIZE", "STORED", "", "SOURCE"];
    const rows = snapshots.map((one) => [
      one.uuid,
      formatTime(dateOf(one)),
      engineOf(one),
      formatBytes(Number(one.sourceBytes)),
      formatBytes(Number(one.storedBytes)),
      one.pinned ? "pinned" : "",
      one.source,
    ]);
    const total = Number(totalSize);
    const shown = snapshots.length === total ? "" : `\n${snapshots.length} of ${total} snapshots`;
    const text = total === 0 ? "no snapshots found" : `${formatTable([header, ...rows])}${shown}`;
    output.result(text, { snapshots: snapshots.map(toJson), total });
    return exitCodes.ok;
  });
}

/** `wimguard snapshot show`: prints one snapshot. */
export async function showSnapshot(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    print(await wim.snapshot.getSnapshot({ uuid }), output);
    return exitCodes.ok;
  });
}

/** `wimguard snapshot ls`: lists a folder of a snapshot. */
export async function listEntries(
  uuid: string,
  path: string,
  options: EntriesOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    let pageToken = "";
    do {
      const page = await wim.snapshot.listEntries({
        snapshotUuid: uuid,
        parent: Buffer.from(path),
        recursive: options.recursive === true,
        pageSize: maxPageSize,
        pageToken,
      });
      for (const entry of page.entries) output.line(formatEntry(entry), entryToJson(entry));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return exitCodes.ok;
  });
}

/** `wimguard snapshot find`: lists the snapshots in which a path changed, newest first. */
export async function findVersions(path: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { versions } = await wim.snapshot.findVersions({ path: Buffer.from(path), pageSize: maxPageSize });
    if (versions.length === 0) output.note(`${path} is not in any snapshot`);
    for (const { snapshot, entry } of versions) {
      if (snapshot === undefined || entry === undefined) continue;
      const text = `${snapshot.uuid}  ${formatTime(dateOf(snapshot))}  ${formatBytes(Number(entry.size))}  ${snapshot.source}`;
      output.line(text, { snapshot: toJson(snapshot), entry: entryToJson(entry) });
    }
    return versions.length === 0 ? exitCodes.failed : exitCodes.ok;
  });
}

const signOf: Partial<Record<Difference_Change, string>> = {
  [Difference_Change.ADDED]: "+",
  [Difference_Change.REMOVED]: "-",
  [Difference_Change.CONTENT]: "M",
  [Difference_Change.METADATA]: "U",
};

/** `wimguard snapshot diff`: compares two snapshots; + added, - removed, M content, U attributes only. */
export async function diffSnapshots(
  base: string,
  other: string,
  path: string,
  options: CommonOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const request = { baseUuid: base, otherUuid: other, path: Buffer.from(path) };
    for await (const { change, before, after } of wim.snapshot.diffSnapshots(request)) {
      const sign = signOf[change] ?? "?";
      const shown = after ?? before;
      output.line(`${sign} ${shown?.displayPath ?? ""}`, {
        change: enumName(Difference_ChangeSchema, change),
        ...(before !== undefined && { before: entryToJson(before) }),
        ...(after !== undefined && { after: entryToJson(after) }),
      });
    }
    return exitCodes.ok;
  });
}

/** `wimguard snapshot cat`: writes the contents of a file to standard output. */
export async function catFile(uuid: string, path: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    for await (const { data } of wim.restore.downloadFile({ snapshotUuid: uuid, path: Buffer.from(path) })) {
      await output.content(data);
    }
    return exitCodes.ok;
  });
}

/** `wimguard snapshot pin` and `unpin`: a pinned snapshot cannot be deleted. */
export async function pinSnapshot(
  uuid: string,
  pinned: boolean,
  options: CommonOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    print(await wim.snapshot.updateSnapshot({ snapshot: { uuid, pinned }, updateMask: { paths: ["pinned"] } }), output);
    return exitCodes.ok;
  });
}

/** `wimguard snapshot keep`: cancels the deletion of a snapshot by retention. */
export async function keepSnapshot(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    print(await wim.snapshot.updateSnapshot({ snapshot: { uuid }, updateMask: { paths: ["purge_time"] } }), output);
    return exitCodes.ok;
  });
}

/** `wimguard snapshot tag UUID name=value… name=`: sets tags and removes those with an empty value. */
export async function tagSnapshot(
  uuid: string,
  changes: readonly string[],
  options: CommonOptions,
  output: Console,
): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { tags: before, etag } = await wim.snapshot.getSnapshot({ uuid });
    const tags = { ...before };
    for (const change of changes) {
      const [name, value] = parseTag(change);
      if (value === "") delete tags[name];
      else tags[name] = value;
    }
    const updateMask = { paths: ["tags"] };
    print(await wim.snapshot.updateSnapshot({ snapshot: { uuid, tags, etag }, updateMask }), output);
    return exitCodes.ok;
  });
}

/** `wimguard snapshot delete`: deletes a snapshot and its archive, after confirmation. */
export async function deleteSnapshot(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { source, location, sourceBytes, etag } = await wim.snapshot.getSnapshot({ uuid });
    // Reports that a snapshot cannot be deleted before it asks for confirmation.
    await wim.snapshot.deleteSnapshot({ uuid, etag, validateOnly: true });
    output.note(`${uuid}: snapshot of ${source} (${formatBytes(Number(sourceBytes))}) in ${location}`);
    await output.confirmDeletion(uuid);
    await wim.snapshot.deleteSnapshot({ uuid, etag });
    output.result(`deleted ${uuid}`, { deleted: uuid });
    return exitCodes.ok;
  });
}

function print(snapshot: Snapshot, output: Console): void {
  const value = toJson(snapshot);
  const rows = Object.entries(value).map(([name, one]) => [name, textOf(name, one)]);
  output.result(formatTable(rows.filter(([, text]) => text !== "")), value);
}

function textOf(name: string, value: unknown): string {
  if (name === "sourceBytes" || name === "storedBytes") return formatBytes(Number(value));
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([tag, text]) => `${tag}=${text}`)
    .join(" ");
}

function toJson(snapshot: Snapshot) {
  const { uuid, source, location, sourceBytes, storedBytes, files, tags, description, pinned, keepReasons, etag } =
    snapshot;
  return {
    uuid,
    created: dateOf(snapshot),
    engine: engineOf(snapshot),
    source,
    location,
    sourceBytes: Number(sourceBytes),
    storedBytes: Number(storedBytes),
    files: Number(files),
    description,
    tags,
    pinned,
    keepReasons,
    purged: snapshot.purgeTime === undefined ? "" : timestampDate(snapshot.purgeTime).toISOString(),
    verified: snapshot.verifyTime === undefined ? "" : timestampDate(snapshot.verifyTime).toISOString(),
    drilled: snapshot.drillTime === undefined ? "" : timestampDate(snapshot.drillTime).toISOString(),
    warnings: Number(snapshot.warningCount),
    etag,
  };
}

function dateOf({ createTime }: Snapshot): string {
  return createTime === undefined ? "" : timestampDate(createTime).toISOString();
}

function engineOf({ engine }: Snapshot): string {
  return enumName(EngineSchema, engine);
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,4}$/.test(text)) throw new UsageError(`invalid --limit ${JSON.stringify(text)}: use 0 to ${maxPageSize}`);
  return Number(text);
}
