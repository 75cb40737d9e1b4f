import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";

export function addLintCommand(program: Command, context: CommandContext): void {
  program
    .command("lint")
    .summary("check .proto files against the style rules of buf.yaml")
    .description(
      "Checks the .proto files against the lint rules of buf.yaml. Exits with code 3 when a file violates a rule, 4 when one does not compile.",
    )
    .argument("[folder]", "workspace folder (default: the current one)")
    .action(async (folder: string | undefined) => {
      const { lintProtos } = await import("../buf/lint-protos.ts");
      await lintProtos(folder ?? ".", context);
    });
}
