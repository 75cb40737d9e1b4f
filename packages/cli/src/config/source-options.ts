import type { Command } from "commander";
import { collect } from "../target/target-options.ts";

/** Where a configuration comes from, as the command line says it. */
export interface SourceOptions {
  readonly config?: string;
  readonly env?: string;
  readonly envFile?: string;
  readonly set: readonly string[];
}

export function addSourceOptions(command: Command): Command {
  return command
    .option("--config <file>", "base file (default: config.yaml or config/default.yaml)")
    .option("--env <name>", "environment whose overlay is read (default: $TERCEL_ENV, $NODE_ENV, else development)")
    .option(
      "--env-file <file>",
      "variables for what the environment does not set (default: .env, as npm start reads it)",
    )
    .option("--set <key=value>", "value of a key, over all others (repeatable)", collect, []);
}
