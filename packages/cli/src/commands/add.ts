import { Argument, type Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { concerns } from "../new/plan/service-plan.ts";
import type { AddOptions } from "../project/add-concern.ts";

/** The gateway has no types, unlike a concern: a service has it or not. */
const additions = [...concerns, "gateway"] as const;

export function addAddCommand(program: Command, context: CommandContext): void {
  program
    .command("add")
    .summary("add a database, a cache, events or another concern to a project")
    .description(
      "Adds a concern to a project of tercel new: the packages, configuration and code that tercel new --with-CONCERN=TYPE would have written. Your own files change only if you agree: on a terminal the command shows the diff and asks; elsewhere it prints a patch and changes nothing unless --yes is given. Exits with code 3 when it leaves a change to you.",
    )
    .addArgument(new Argument("<concern>", "concern to add").choices(additions))
    .argument("[type]", "type to add, such as postgres; prompted for on a terminal")
    .option("--dry-run", "print all changes as a patch and write nothing")
    .option("-y, --yes", "change your own files without asking")
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
