import type { Command } from "commander";
import type { BreakingOptions } from "../buf/breaking-changes.ts";
import type { CommandContext } from "../frame/context.ts";

export function addBreakingCommand(program: Command, context: CommandContext): void {
  program
    .command("breaking")
    .summary("find changes of .proto files that break callers")
    .description(
      "Compares the .proto files of buf.yaml with an earlier state, by its breaking rules. Exit code 3 when a change breaks callers.",
    )
    .argument("[folder]", "folder of the workspace (default: this one)")
    .requiredOption("--against <state>", "branch, tag or commit of git, or a file with a FileDescriptorSet")
    .action(async (folder: string | undefined, options: BreakingOptions) => {
      const { findBreakingChanges } = await import("../buf/breaking-changes.ts");
      await findBreakingChanges(folder ?? ".", options, context);
    });
}
