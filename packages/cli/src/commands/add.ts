import { Argument, type Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { concerns } from "../new/plan/service-plan.ts";
import type { AddOptions } from "../project/add-concern.ts";

/** The gateway is no concern of several types: a service has it or not. */
const additions = [...concerns, "gateway"] as const;

export function addAddCommand(program: Command, context: CommandContext): void {
  program
    .command("add")
    .summary("give a project a database, a cache, events and the like")
    .description(
      "Adds to a project of tercel new what tercel new would have put into it by the flag --with-CONCERN=TYPE: packages, configuration, code. Your own files are changed only if you agree: on a terminal it shows the difference and asks; elsewhere it prints a patch and changes nothing, unless --yes is given. Exit code 3 when something is left to you.",
    )
    .addArgument(new Argument("<concern>", "what to add").choices(additions))
    .argument("[type]", "which one, such as postgres; asked for on a terminal")
    .option("--dry-run", "print the whole difference as a patch and change nothing")
    .option("-y, --yes", "change your own files without a question")
    .addHelpText(
      "after",
      `
Examples:
  tercel add cache redis
  tercel add auth jwt --dry-run`,
    )
    .action(async (concern: (typeof additions)[number], type: string | undefined, options: AddOptions) => {
      const { addConcern } = await import("../project/add-concern.ts");
      await addConcern(concern, type, options, context);
    });
}
