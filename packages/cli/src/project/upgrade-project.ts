import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { renderManaged } from "../new/render/render-project.ts";
import { ownVersion } from "../version.ts";
import { isOlder } from "./compare-versions.ts";
import { formatLock, lockFile, readLock } from "./lock-file.ts";
import { planManaged, readProjectFile } from "./project-files.ts";
import { changedRecord, readRecord, recordFile } from "./project-record.ts";
import { replaceFiles } from "./replace-files.ts";
import { isWritten, printDiffs, refuseConflicts, reportChanges, reportInstall } from "./report-changes.ts";

export interface UpgradeOptions {
  readonly check?: boolean;
}

/** `tercel upgrade`: updates the files that Tercel manages to this version's templates. */
export async function upgradeProject(
  options: UpgradeOptions,
  context: CommandContext,
  version: string = ownVersion(),
): Promise<void> {
  const { cwd, stderr } = context;
  const record = readRecord(cwd);
  const { plan } = record;
  if (isOlder(version, plan.version)) {
    throw new CommandFailure(
      exitCodes.failed,
      `${recordFile} was written by the newer tercel ${plan.version}; this is tercel ${version}`,
      {
        hint: `npx tercel@${plan.version} upgrade, or npm install -D tercel@${plan.version}`,
      },
    );
  }
  const now = renderManaged({ ...plan, version });
  const changes = planManaged(cwd, record, { last: readLock(cwd, record.managed), now }, version);
  const newRecord = changedRecord(record, { template: version, managed: now });
  const own = new Map([
    [recordFile, newRecord],
    [lockFile, formatLock(now)],
  ]);
  const ownIsStale = [...own].some(([path, text]) => readProjectFile(cwd, path) !== text);
  const written = changes.filter(isWritten);
  if (options.check === true) {
    if (written.length === 0 && !ownIsStale) return;
    await printDiffs(written, context);
    throw new CommandFailure(exitCodes.stale, `the project is not up to date with tercel ${version}`, {
      lines: written.map(({ path }) => path),
      hint: "run tercel upgrade and commit the result",
      json: { files: written.map(({ path }) => path) },
    });
  }
  replaceFiles(cwd, new Map([...written.map(({ path, after }) => [path, after] as const), ...(ownIsStale ? own : [])]));
  await reportChanges(changes, context);
  await stderr.line(summary(plan.version, version, written.length));
  await reportInstall(written, context);
  refuseConflicts(changes);
}

function summary(before: string, now: string, count: number): string {
  const files = count === 0 ? "no file changed" : `${count === 1 ? "1 file" : `${count} files`} changed`;
  return before === now ? `up to date with tercel ${now}: ${files}` : `tercel ${before} -> ${now}: ${files}`;
}
