import { resolve } from "node:path";
import type { LoadedConfig, ServiceConfig } from "@tercel/service/config";
import { loadProjectConfig } from "../config/load-project-config.ts";
import { readEnvFile } from "../config/read-env-file.ts";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";

/** Folder and variables of a service. */
export interface ServiceSources {
  readonly folder: string;
  /** `--env-file` of the command line; undefined for the `.env` in the folder. */
  readonly envFile: string | undefined;
  readonly context: Pick<CommandContext, "cwd" | "env">;
}

/**
 * Returns the variables of a service: those of the file, overridden by the environment.
 *
 * @throws CommandFailure when the named file cannot be read
 */
export function serviceVariables(sources: ServiceSources): Readonly<Record<string, string | undefined>> {
  return { ...readEnvFile(envFileOf(sources), sources.folder), ...sources.context.env };
}

/** Loads the configuration of a service. @throws CommandFailure that lists every problem and its location */
export async function loadFolderConfig(
  sources: ServiceSources,
  set: readonly string[],
): Promise<LoadedConfig<ServiceConfig<unknown>>> {
  const envFile = envFileOf(sources);
  const { folder, context } = sources;
  return loadProjectConfig({ set, ...(envFile !== undefined && { envFile }) }, { cwd: folder, env: context.env });
}

/** Resolves `--env-file` relative to the working folder of the command. */
function envFileOf({ envFile, context }: ServiceSources): string | undefined {
  return envFile === undefined ? undefined : resolve(context.cwd, envFile);
}

/** A `--set` option and the service that it applies to; undefined for all. */
export interface GivenSetting {
  readonly service: string | undefined;
  /** `service.port=6000` */
  readonly text: string;
}

const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Parses `key=value` and `service:key=value`. @throws CommandFailure that shows only the key, because the value may be a secret */
export function readSettings(texts: readonly string[]): readonly GivenSetting[] {
  return texts.map((text) => {
    const equals = text.indexOf("=");
    const names = text.slice(0, Math.max(0, equals)).split(":");
    const key = names.at(-1) ?? "";
    const service = names.length > 1 ? names[0] : undefined;
    if (key === "" || names.length > 2 || (service !== undefined && !serviceName.test(service))) {
      throw usageFailure(
        `invalid --set ${JSON.stringify(text.split("=")[0])}: expected key=value, or service:key=value for one service`,
      );
    }
    return { service, text: `${key}${text.slice(equals)}` };
  });
}

/** Returns the settings for one service, in order. */
export function settingsFor(service: string, given: readonly GivenSetting[]): readonly string[] {
  return given.filter((one) => one.service === undefined || one.service === service).map(({ text }) => text);
}
