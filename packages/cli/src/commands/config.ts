import type { Command } from "commander";
import type { DiffOptions, ShowOptions } from "../config/config-commands.ts";
import { addSourceOptions } from "../config/source-options.ts";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";

export function addConfigCommand(program: Command, context: CommandContext): void {
  const config = program
    .command("config")
    .summary("inspect and validate the configuration of a service")
    .description(
      "Shows the configuration of the service in this folder as the service itself loads it: config.yaml, its overlays and variables. Secrets are never printed. The application's own settings, below app, are not validated.",
    );

  addSourceOptions(
    addOutputOption(config.command("show").description("Prints every value and its source."), [
      "table",
      "json",
      "ndjson",
      "name",
    ]),
  ).action(async (options: ShowOptions) => {
    const { showConfig } = await import("../config/config-commands.ts");
    await showConfig(options, context);
  });

  addSourceOptions(
    config
      .command("explain")
      .description(
        "Prints the value of a key, or of all keys below it, its source, and whether a change needs a restart.",
      )
      .argument("<key>", "key, such as service.port, or database for all keys below it"),
  ).action(async (key: string, options: ShowOptions) => {
    const { explainConfig } = await import("../config/config-commands.ts");
    await explainConfig(key, options, context);
  });

  addSourceOptions(
    config
      .command("validate")
      .description(
        "Validates the configuration and prints every problem with its location. Exits with code 4 if there is one.",
      ),
  ).action(async (options: ShowOptions) => {
    const { validateConfig } = await import("../config/config-commands.ts");
    await validateConfig(options, context);
  });

  config
    .command("schema")
    .description("Prints the JSON Schema of config.yaml, for editors.")
    .action(async () => {
      const { printSchema } = await import("../config/config-commands.ts");
      await printSchema(context);
    });

  addSourceOptions(
    addOutputOption(
      config
        .command("diff")
        .description("Prints the differences between two environments, such as development and production.")
        .argument("<from>", "first environment")
        .argument("<to>", "second environment"),
      ["table", "json", "ndjson", "name"],
    ),
  ).action(async (from: string, to: string, options: DiffOptions) => {
    const { diffConfig } = await import("../config/config-commands.ts");
    await diffConfig(from, to, options, context);
  });
}
