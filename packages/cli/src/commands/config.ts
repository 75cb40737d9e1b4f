import type { Command } from "commander";
import type { DiffOptions, ShowOptions } from "../config/config-commands.ts";
import { addSourceOptions } from "../config/source-options.ts";
import type { CommandContext } from "../frame/context.ts";
import { addOutputOption } from "../frame/output-format.ts";

export function addConfigCommand(program: Command, context: CommandContext): void {
  const config = program
    .command("config")
    .summary("look at the configuration of a service")
    .description(
      "Looks at the configuration of the service in this folder as the service itself would load it: config.yaml, its overlays, variables. Secrets are never shown. The settings of the application, under app, are taken as they are.",
    );

  addSourceOptions(
    addOutputOption(config.command("show").description("Prints every value and where it comes from."), [
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
        "Says of a key, or of all keys below it, which value it has, where that comes from, and whether a change needs a restart.",
      )
      .argument("<key>", "such as service.port, or database for all below"),
  ).action(async (key: string, options: ShowOptions) => {
    const { explainConfig } = await import("../config/config-commands.ts");
    await explainConfig(key, options, context);
  });

  addSourceOptions(
    config
      .command("validate")
      .description("Checks the configuration and prints every problem with its place. Exit code 4 when there is one."),
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
        .description("Prints what differs between two environments, such as development and production.")
        .argument("<from>", "an environment")
        .argument("<to>", "another one"),
      ["table", "json", "ndjson", "name"],
    ),
  ).action(async (from: string, to: string, options: DiffOptions) => {
    const { diffConfig } = await import("../config/config-commands.ts");
    await diffConfig(from, to, options, context);
  });
}
