import type { BackupInput, BackupResult } from "../client/backup-to-end.ts";
import type { WimGuard } from "../client/connect.ts";
import { formatBytes, formatSeconds, formatTable } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { followToEnd } from "./follow-run.ts";
import { interruptible } from "./interruptible.ts";
import { type BackupChoices, hasChoices, startBackup } from "./start-backup.ts";
import { withDaemon } from "./with-daemon.ts";
import { toLocation } from "./working-folder.ts";

export interface BackupOptions extends CommonOptions, BackupChoices {
  readonly source: string;
  readonly destination: string;
  readonly compression?: string;
  readonly description?: string;
  readonly detach?: true;
}

const pollMs = 100;

/** `wimguard backup`: runs a backup and shows its progress. */
export async function backup(options: BackupOptions, output: Console): Promise<ExitCode> {
  // Relative paths are resolved here, since the daemon has its own working folder.
  return withDaemon(options, async (wim) => {
    const [source, destination] = await Promise.all([
      toPathOrName(options.source, async (filter) => (await wim.registry.listSources({ filter })).sources.length > 0),
      toPathOrName(
        options.destination,
        async (filter) => (await wim.registry.listDestinations({ filter })).destinations.length > 0,
      ),
    ]);
    const request = {
      source,
      destination,
      compression: options.compression ?? "",
      description: options.description ?? "",
    };
    if (options.detach === true) {
      const { uuid } = await startBackup(wim, request, options);
      output.result(`started ${uuid}; it continues without this command`, { uuid, ...request });
      return exitCodes.ok;
    }
    const startedMs = performance.now();
    const result = hasChoices(options)
      ? await followStarted(wim, request, options, output)
      : await runAttached(wim, request, output);
    const seconds = (performance.now() - startedMs) / 1000;
    const rows = [
      ["uuid", result.uuid],
      ["source", `${formatBytes(result.size)} in ${request.source}`],
      ["archive", await destinationOf(wim, result.uuid, request)],
      ["time", formatSeconds(seconds)],
    ];
    if (result.warnings !== "") output.warning(result.warnings);
    const title = result.warnings === "" ? "backup completed" : "backup completed with warnings";
    output.result(`${title}\n${formatTable(rows.map((row) => ["", ...row]))}`, { ...result, ...request, seconds });
    return result.warnings === "" ? exitCodes.ok : exitCodes.warnings;
  });
}

type Request = Required<BackupInput>;

/** Runs a backup that ends with this command. */
function runAttached(wim: WimGuard, request: Request, output: Console): Promise<BackupResult> {
  let uuid = "";
  return interruptible(
    async (signal) => {
      try {
        return await wim.backupToEnd(
          request,
          (update) => {
            if (uuid === "") noteStart(request, output);
            uuid = update.uuid;
            output.progress(update);
          },
          { signal },
        );
      } finally {
        if (signal.aborted && uuid !== "") await waitForEnd(wim, uuid);
      }
    },
    () => output.cancelling(),
  );
}

/** Follows a started run: options that CreateBackup does not have need StartRun. Ctrl-C cancels it. */
async function followStarted(
  wim: WimGuard,
  request: Request,
  choices: BackupChoices,
  output: Console,
): Promise<BackupResult> {
  const started = await startBackup(wim, request, choices);
  noteStart(request, output);
  const { uuid, progress, message } = await followToEnd(wim, started, output);
  return { uuid, size: Number(progress?.bytesTotal ?? 0), warnings: message };
}

function noteStart({ source, destination }: Request, output: Console): void {
  output.note(`backing up ${source} to ${destination}`);
}

/** Returns the path of a destination that was given by its name. */
async function destinationOf(wim: WimGuard, uuid: string, { destination }: Request): Promise<string> {
  if (!namePattern.test(destination)) return destination;
  return (await wim.backup.getBackup({ uuid })).backup?.destination ?? destination;
}

/** Matches names, which are neither absolute paths nor contain a separator. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Makes a path absolute; leaves a registered name unchanged. `./NAME` is always a path. */
async function toPathOrName(text: string, isRegistered: (filter: string) => Promise<boolean>): Promise<string> {
  const isName = namePattern.test(text);
  return isName && (await isRegistered(`name = ${JSON.stringify(text)}`)) ? text : toLocation(text);
}

/** Waits for the end of a cancelled job: the call ends at once, but the job's files are removed a moment later. */
async function waitForEnd(wim: WimGuard, uuid: string): Promise<void> {
  for (;;) {
    const { backup: record } = await wim.backup.getBackup({ uuid });
    if (record?.status !== "in_progress") return;
    await new Promise((wake) => setTimeout(wake, pollMs));
  }
}
