import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { UpgradeOptions } from "../project/upgrade-project.ts";

export function addUpgradeCommand(program: Command, context: CommandContext): void {
  program
    .command("upgrade")
    .summary("update the files that Tercel manages")
    .description(
      "Updates the files that tercel.yaml lists as managed, such as package.json, to the templates of this version of tercel, and keeps your changes: a three-way merge. Your own files are never touched. Where both changed the same lines, the file gets conflict markers with both versions, and the exit code is 3.",
    )
    .option("--check", "print the diff and write nothing; exit with code 8 when there is one")
    .action(async (options: UpgradeOptions) => {
      const { upgradeProject } = await import("../project/upgrade-project.ts");
      await upgradeProject(options, context);
    });
}
