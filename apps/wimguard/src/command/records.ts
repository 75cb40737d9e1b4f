import type { Backup } from "../gen/wimguard/v1/backup_pb.ts";
import { formatBytes, formatTable, formatTime } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { withDaemon } from "./with-daemon.ts";

export interface ListOptions extends CommonOptions {
  readonly limit?: string;
  readonly offset?: string;
}

/** `wimguard list`: prints backups, newest first. */
export async function list(options: ListOptions, output: Console): Promise<ExitCode> {
  const limit = parseCount("limit", options.limit);
  const offset = parseCount("offset", options.offset);
  return withDaemon(options, async (wim) => {
    const { backups, total } = await wim.backup.listBackups({ limit, offset });
    const rows = backups.map((one) => [
      one.uuid,
      formatTime(one.createdAt),
      one.status,
      one.type,
      formatBytes(Number(one.size)),
      one.name,
      one.destination,
    ]);
    const header = ["UUID", "CREATED", "STATUS", "TYPE", "SIZE", "NAME", "DESTINATION"];
    const shown = backups.length === total ? "" : `\n${backups.length} of ${total} backups, starting at ${offset + 1}`;
    const text = total === 0 ? "no backups yet" : `${formatTable([header, ...rows])}${shown}`;
    output.result(text, { backups: backups.map(toJson), total });
    return exitCodes.ok;
  });
}

/** `wimguard get`: prints one backup. */
export async function get(uuid: string, options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    const { backup } = await wim.backup.getBackup({ uuid });
    if (backup === undefined) return exitCodes.failed;
    const value = toJson(backup);
    const rows = Object.entries({ ...value, size: formatBytes(value.size) });
    output.result(formatTable(rows), value);
    return exitCodes.ok;
  });
}

/** `wimguard delete`: deletes archives and records, after confirmation. */
export async function remove(uuids: readonly string[], options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async (wim) => {
    for (const uuid of uuids) {
      const { backup } = await wim.backup.getBackup({ uuid });
      if (backup === undefined) continue;
      const { destination, status, size, createdAt } = backup;
      output.note(
        `${uuid}: ${status} backup of ${backup.source} (${formatBytes(Number(size))}, ${formatTime(createdAt)}) in ${destination}`,
      );
      await output.confirmDeletion(uuid);
      await wim.backup.deleteBackup({ uuid });
      output.result(`deleted ${uuid}`, { deleted: uuid });
    }
    return exitCodes.ok;
  });
}

/** `wimguard health`: checks whether the daemon is serving, which connecting does. */
export async function health(options: CommonOptions, output: Console): Promise<ExitCode> {
  return withDaemon(options, async () => {
    output.result("serving", { status: "SERVING" });
    return exitCodes.ok;
  });
}

function toJson({ uuid, name, source, destination, type, status, size, createdAt }: Backup) {
  return { uuid, name, source, destination, type, status, size: Number(size), createdAt };
}

function parseCount(name: string, text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(`invalid --${name} ${JSON.stringify(text)}: use a whole number, 0 or more`);
  return Number(text);
}
