import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";
import type { ListOptions } from "../schema/list-services.ts";
import { addSchemaOptions } from "../schema/schema-options.ts";
import { addTargetOptions } from "../target/target-options.ts";

export function addListCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("list")
    .summary("list services, or the methods of one")
    .description("Lists the services of a server or of .proto files, or the methods of one service.")
    .argument("[service]", "service whose methods are listed; the package is optional");
  addOutputOption(command, ["table", "json", "ndjson", "name"]);
  addTargetOptions(command);
  addSchemaOptions(command);
  command.action(async (service: string | undefined, options: ListOptions) => {
    const { listServices } = await import("../schema/list-services.ts");
    await listServices(service, options, context);
  });
}
