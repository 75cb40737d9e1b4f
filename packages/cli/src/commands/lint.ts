import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";

export function addLintCommand(program: Command, context: CommandContext): void {
  program
    .command("lint")
    .summary("check .proto files against the style rules of buf.yaml")
    .description(
      "Checks the .proto files of buf.yaml against its lint rules. Exit code 3 when one is broken, 4 when a file does not compile.",
    )
    .argument("[folder]", "folder of the workspace (default: this one)")
    .action(async (folder: string | undefined) => {
      const { lintProtos } = await import("../buf/lint-protos.ts");
      await lintProtos(folder ?? ".", context);
    });
}
