import { type Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { WaitOptions } from "../health/wait-for-health.ts";
import { addTargetOptions } from "../target/target-options.ts";

export function addWaitCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("wait")
    .summary("wait until a server is healthy")
    .description(
      "Waits until a server, or one of its services, has a status. Exit code 6 when that does not happen in time.",
    )
    .argument("[service]", "full name of the service (default: the server as a whole)")
    .addOption(
      new Option("--status <status>", "what to wait for: SERVING, not SERVING, or any answer at all")
        .choices(["healthy", "unhealthy", "up"])
        .default("healthy"),
    )
    .option("--timeout <duration>", "give up after this long", "60s");
  addTargetOptions(command);
  command.action(async (service: string | undefined, options: WaitOptions) => {
    const { waitForHealth } = await import("../health/wait-for-health.ts");
    await waitForHealth(service ?? "", options, context);
  });
}
