import { type Command, Option } from "commander";
import type { CommandContext } from "../frame/context.ts";
import type { WaitOptions } from "../health/wait-for-health.ts";
import { addTargetOptions } from "../target/target-options.ts";

export function addWaitCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("wait")
    .summary("wait until a server is healthy")
    .description("Waits until a server, or one of its services, has a status. Exits with code 6 on a timeout.")
    .argument("[service]", "full name of the service (default: the server as a whole)")
    .addOption(
      new Option(
        "--status <status>",
        "status to wait for: healthy is SERVING, unhealthy any other status, up any response",
      )
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
