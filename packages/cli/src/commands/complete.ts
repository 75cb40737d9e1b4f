import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";

/** Adds the command that the scripts of `tercel completion` run at each press of Tab. */
export function addCompleteCommand(program: Command, context: CommandContext): void {
  program
    .command("__complete", { hidden: true })
    .summary("print completions of a command line")
    .argument("[words...]", "the command line without the program's name; the last word is the one to complete")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: readonly string[]) => {
      const { completeWords } = await import("../completion/complete-words.ts");
      for (const word of await completeWords(program, words, context)) await context.stdout.line(word);
    });
}
