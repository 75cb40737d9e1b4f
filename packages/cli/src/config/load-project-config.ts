import {
  ConfigError,
  type LoadedConfig,
  loadServiceConfig,
  type ServiceConfig,
  type StandardSchemaV1,
} from "@tercel/service/config";
import { builtInConcerns, knownProviders } from "@tercel/service/internal";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { readEnvFile } from "./read-env-file.ts";
import type { SourceOptions } from "./source-options.ts";

/** Accepts any application settings: only the service's own program has their schema. */
const anySettings: StandardSchemaV1<unknown, unknown> = {
  "~standard": { version: 1, vendor: "tercel", validate: (value) => ({ value }) },
};

/**
 * Loads the configuration of the service in the working folder.
 *
 * @throws CommandFailure with exit code 4 that lists every problem and its location
 */
export async function loadProjectConfig(
  options: SourceOptions,
  context: Pick<CommandContext, "cwd" | "env">,
): Promise<LoadedConfig<ServiceConfig<unknown>>> {
  const fromFile = readEnvFile(options.envFile, context.cwd);
  try {
    return await loadServiceConfig({
      folder: context.cwd,
      ...(options.config !== undefined && { file: options.config }),
      variables: { ...fromFile, ...context.env, ...(options.env !== undefined && { TERCEL_ENV: options.env }) },
      set: options.set,
      providers: await knownProviders(builtInConcerns),
      settings: anySettings,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split("\n");
    const problems = error.problems.length === 1 ? lines : lines.slice(1);
    const [first = error.message, ...others] = problems;
    throw new CommandFailure(exitCodes.invalidInput, first, { lines: others, json: { problems }, cause: error });
  }
}
