import type { Command } from "commander";
import type { DevOptions } from "../dev/run-dev.ts";
import type { CommandContext } from "../frame/context.ts";
import { collect } from "../target/target-options.ts";

export function addDevCommand(program: Command, context: CommandContext): void {
  program
    .command("dev")
    .summary("run services while you work on them")
    .description(
      "Runs the service in this folder, or all services of the workspace, each as a process of its own, those first that others depend on. Hosts the embedded registry and event hub for them, moves ports that are taken, generates code and starts a service again after each change; a change that does not load leaves the process before it running. Ctrl-C lets calls end, a second one ends everything.",
    )
    .argument("[services...]", "services to run, with those that they depend on (default: all)")
    .option("--only", "run the named services alone")
    .option(
      "--set <key=value>",
      "value of a key of every service's configuration, over all others; service:key=value for one service (repeatable)",
      collect,
      [],
    )
    .option("--env-file <file>", "variables for the services (default: .env in the folder of each)")
    .option("--inspect", "let debuggers connect: to port 9229 of this machine, or the next that is free")
    .option("--no-watch", "do not follow changes; exit with code 1 when a service does not load")
    .addHelpText(
      "after",
      `
Examples:
  tercel dev
  tercel dev user-service --set logging.providers.console.level=info
  tercel dev --set order-service:service.port=6000`,
    )
    .action(async (services: readonly string[], options: DevOptions) => {
      const { runDev } = await import("../dev/run-dev.ts");
      await runDev(services, options, context);
    });
}
