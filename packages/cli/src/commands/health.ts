import type { Command } from "commander";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";
import type { HealthOptions } from "../health/print-health.ts";
import { addTargetOptions } from "../target/target-options.ts";

export function addHealthCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("health")
    .summary("show the health of a server")
    .description(
      "Shows the status that grpc.health.v1.Health reports for all services, or for one. Exits with code 3 when a service is not SERVING, 5 when the server does not know the service.",
    )
    .argument("[service]", 'full name of the service; "" for the server as a whole')
    .option("--watch", "print each change until Ctrl-C");
  addOutputOption(command, ["table", "json", "ndjson", "name"]);
  addTargetOptions(command);
  command.action(async (service: string | undefined, options: HealthOptions) => {
    const { printHealth } = await import("../health/print-health.ts");
    await printHealth(service, options, context);
  });
}
