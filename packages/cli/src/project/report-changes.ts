import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { formatDiff } from "../merge/format-diff.ts";
import type { FileChange, FileOutcome } from "./managed-file.ts";

const outcomeTexts: Readonly<Record<Exclude<FileOutcome, "unchanged">, string>> = {
  created: "new",
  updated: "updated",
  merged: "merged with your changes",
  conflict: "conflict: choose between the lines at <<<<<<< and >>>>>>>",
  removed: "removed: the template no longer contains it",
  abandoned: "kept with your changes: the template no longer contains it",
  missing: "not written: you have removed it",
};

/** Whether a file on the disk changes. */
export function isWritten({ before, after }: FileChange): boolean {
  return before !== after;
}

/** Prints that packages must be installed, unless package.json has a conflict. */
export async function reportInstall(changes: readonly FileChange[], { stderr }: CommandContext): Promise<void> {
  const manifest = changes.find(({ path }) => path === "package.json");
  if (manifest !== undefined && isWritten(manifest) && manifest.outcome !== "conflict") {
    await stderr.line("next: npm install");
  }
}

/** Prints one line for each changed file. */
export async function reportChanges(changes: readonly FileChange[], { stderr }: CommandContext): Promise<void> {
  for (const { path, outcome } of changes) {
    if (outcome === "unchanged") continue;
    const text = outcomeTexts[outcome];
    await stderr.line(`  ${path}: ${outcome === "conflict" ? stderr.style("red", text) : text}`);
  }
}

/** Prints changes as a patch for `git apply`. */
export async function printDiffs(changes: readonly FileChange[], { stdout }: CommandContext): Promise<void> {
  for (const { path, before, after } of changes) {
    const diff = formatDiff(path, before?.replaceAll("\r\n", "\n"), (after ?? "").replaceAll("\r\n", "\n"));
    await stdout.write(stdout.isTerminal ? coloured(diff, stdout) : diff);
  }
}

function coloured(diff: string, stdout: CommandContext["stdout"]): string {
  return diff
    .split("\n")
    .map((line) => {
      if (/^(---|\+\+\+) /.test(line)) return stdout.style("bold", line);
      if (line.startsWith("+")) return stdout.style("green", line);
      if (line.startsWith("-")) return stdout.style("red", line);
      return line.startsWith("@@") ? stdout.style("cyan", line) : line;
    })
    .join("\n");
}

/** @throws CommandFailure with exit code 3 when a file has a conflict */
export function refuseConflicts(changes: readonly FileChange[]): void {
  const paths = changes.flatMap(({ path, outcome }) => (outcome === "conflict" ? [path] : []));
  if (paths.length === 0) return;
  throw new CommandFailure(
    exitCodes.partial,
    `conflict in ${paths.join(", ")}: you and the template changed the same lines`,
    {
      hint: "resolve the conflicts in an editor; the files contain both versions",
      json: { conflicts: paths },
    },
  );
}
