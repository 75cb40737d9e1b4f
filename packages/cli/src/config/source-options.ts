import type { Command } from "commander";
import { collect } from "../target/target-options.ts";

/** Options that say where the configuration comes from. */
export interface SourceOptions {
  readonly config?: string;
  readonly env?: string;
  readonly envFile?: string;
  readonly set: readonly string[];
}

export function addSourceOptions(command: Command): Command {
  return command
    .option("--config <file>", "base file (default: config.yaml or config/default.yaml)")
    .option("--env <name>", "environment whose overlay is used (default: $TERCEL_ENV, $NODE_ENV, else development)")
    .option(
      "--env-file <file>",
      "file with variables that the environment does not set (default: .env, as npm start reads it)",
    )
    .option("--set <key=value>", "override a configuration key (repeatable)", collect, []);
}
