import type { Command } from "commander";
import type { DevOptions } from "../dev/run-dev.ts";
import type { CommandContext } from "../frame/context.ts";
import { collect } from "../target/target-options.ts";

export function addDevCommand(program: Command, context: CommandContext): void {
  program
    .command("dev")
    .summary("run services while you work on them")
    .description(
      "Runs the service in this folder, or all services of the workspace, each in its own process, dependencies first. Hosts the embedded registry and event hub, replaces ports that are in use, and after each change generates code, runs the builds of tercel.yaml and restarts the services it affects. If a change does not load, the previous process keeps running. Ctrl-C waits for calls to finish; a second Ctrl-C exits at once.",
    )
    .argument("[services...]", "services to run, together with their dependencies (default: all)")
    .option("--only", "run the named services without their dependencies")
    .option(
      "--set <key=value>",
      "override a configuration key of every service; service:key=value for one service (repeatable)",
      collect,
      [],
    )
    .option("--env-file <file>", "file with variables for the services (default: .env in each service's folder)")
    .option("--inspect", "accept debuggers on port 9229 of this machine, or the next free one")
    .option("--no-watch", "do not restart after changes; exit with code 1 when a service does not load")
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
