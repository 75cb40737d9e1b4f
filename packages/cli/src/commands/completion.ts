import { Argument, type Command } from "commander";
import type { CommandContext } from "../frame/context.ts";

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command("completion")
    .summary("print a completion script for a shell")
    .description(
      "Prints a script that completes commands, options, services, methods and fields. Services come from the server that the command line names.",
    )
    .addArgument(new Argument("<shell>", "your shell").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      `
Examples:
  source <(tercel completion bash)          for this shell; add the line to ~/.bashrc
  tercel completion zsh > "\${fpath[1]}/_tercel"
  tercel completion fish > ~/.config/fish/completions/tercel.fish`,
    )
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScript } = await import("../completion/completion-script.ts");
      await context.stdout.write(completionScript(shell));
    });
}
