import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { UpgradeOptions } from "../project/upgrade-project.ts";

export function addUpgradeCommand(program: Command, context: CommandContext): void {
  program
    .command("upgrade")
    .summary("bring the files that Tercel manages up to date")
    .description(
      "Brings the files that tercel.yaml lists as managed, package.json for one, to what this version of tercel writes, and keeps your changes of them: a three-way merge. Files that are yours are never touched. Where both changed the same lines, the file gets conflict markers with both versions, and the exit code is 3.",
    )
    .option("--check", "print the difference and write nothing; exit with code 8 when there is one")
    .action(async (options: UpgradeOptions) => {
      const { upgradeProject } = await import("../project/upgrade-project.ts");
      await upgradeProject(options, context);
    });
}
