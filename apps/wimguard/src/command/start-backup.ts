import { randomUUID } from "node:crypto";
import type { WimGuard } from "../client/connect.ts";
import type { Run } from "../gen/wimguard/v1/common_pb.ts";
import { Unreadable } from "../gen/wimguard/v1/schedule_pb.ts";
import { UsageError } from "./exit-codes.ts";

/** Options of a backup apart from source and destination. */
export interface BackupChoices {
  readonly tag?: readonly string[];
  readonly exclude?: readonly string[];
  readonly unreadable?: string;
}

interface Request {
  readonly source: string;
  readonly destination: string;
  readonly compression: string;
  readonly description: string;
}

const unreadables: Readonly<Record<string, Unreadable>> = { skip: Unreadable.SKIP, fail: Unreadable.FAIL };

/** Whether a backup has options that CreateBackup does not support. */
export function hasChoices({ tag = [], exclude = [], unreadable }: BackupChoices): boolean {
  return tag.length > 0 || exclude.length > 0 || unreadable !== undefined;
}

/** Starts a backup that continues when this command ends. */
export function startBackup(wim: WimGuard, backup: Request, choices: BackupChoices): Promise<Run> {
  const { tag = [], exclude = [], unreadable = "skip" } = choices;
  const treatment = Object.hasOwn(unreadables, unreadable) ? unreadables[unreadable] : undefined;
  if (treatment === undefined) {
    throw new UsageError(
      `invalid --unreadable ${JSON.stringify(unreadable)}: use ${Object.keys(unreadables).join(" or ")}`,
    );
  }
  const tags = Object.fromEntries(tag.map(parseTag));
  // A retry after a lost response must not start a second backup.
  const requestId = randomUUID();
  return wim.schedule.startRun({ backup, excludes: [...exclude], unreadable: treatment, tags, requestId });
}

/** Parses a tag. @throws UsageError for text that is not NAME=VALUE */
export function parseTag(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at >= 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`invalid tag ${JSON.stringify(text)}: use NAME=VALUE, or NAME= to remove it`);
}
