import type { Command } from "commander";
import type { BreakingOptions } from "../buf/breaking-changes.ts";
import type { CommandContext } from "../frame/context.ts";

export function addBreakingCommand(program: Command, context: CommandContext): void {
  program
    .command("breaking")
    .summary("find changes to .proto files that break callers")
    .description(
      "Compares the .proto files with an earlier state by the breaking rules of buf.yaml. Exits with code 3 when a change breaks callers.",
    )
    .argument("[folder]", "workspace folder (default: the current one)")
    .requiredOption("--against <state>", "Git branch, tag or commit, or a FileDescriptorSet file")
    .action(async (folder: string | undefined, options: BreakingOptions) => {
      const { findBreakingChanges } = await import("../buf/breaking-changes.ts");
      await findBreakingChanges(folder ?? ".", options, context);
    });
}
