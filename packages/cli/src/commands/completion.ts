import { Argument, type Command } from "commander";
import type { CommandContext } from "../frame/context.ts";

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .summary("print a completion script for a shell")
    .description(
      "Prints a script that completes commands, options, services, methods and fields. Services are asked for from the server of the command line.",
    )
    .addArgument(new Argument("<shell>", "your shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  source <(tercel completion bash)          for this shell; the line belongs in ~/.bashrc
  tercel completion zsh > "\${fpath[1]}/_tercel"
  tercel completion fish > ~/.config/fish/completions/tercel.fish`,
    )
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScript } = await import("../completion/completion-script.ts");
      await context.stdout.write(completionScript(shell));
    });
}
