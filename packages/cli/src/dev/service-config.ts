import { resolve } from "node:path";
import type { LoadedConfig, ServiceConfig } from "@tercel/service/config";
import { loadProjectConfig } from "../config/load-project-config.ts";
import { readEnvFile } from "../config/read-env-file.ts";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";

/** Where a service runs, and whose variables it gets. */
export interface ServiceSources {
  readonly folder: string;
  /** `--env-file` of the command line; undefined for the `.env` in the folder. */
  readonly envFile: string | undefined;
  readonly context: Pick<CommandContext, "cwd" | "env">;
}

/**
 * The variables of a service: those of the file, and over them the environment's own.
 *
 * @throws CommandFailure when the file that was named cannot be read
 */
export function serviceVariables(sources: ServiceSources): Readonly<Record<string, string | undefined>> {
  return { ...readEnvFile(envFileOf(sources), sources.folder), ...sources.context.env };
}

/** Loads the configuration of a service. @throws CommandFailure that has every problem and its place */
export async function loadFolderConfig(
  sources: ServiceSources,
  set: readonly string[],
): Promise<LoadedConfig<ServiceConfig<unknown>>> {
  const envFile = envFileOf(sources);
  const { folder, context } = sources;
  return loadProjectConfig({ set, ...(envFile !== undefined && { envFile }) }, { cwd: folder, env: context.env });
}

/** It was named from where the command runs. */
function envFileOf({ envFile, context }: ServiceSources): string | undefined {
  return envFile === undefined ? undefined : resolve(context.cwd, envFile);
}

/** A `--set` of the command line, and the service that it is for; undefined for all. */
export interface GivenSetting {
  readonly service: string | undefined;
  /** `service.port=6000` */
  readonly text: string;
}

const serviceName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Reads `key=value` and `service:key=value`. @throws CommandFailure that shows the key alone, because the value may be a secret */
export function readSettings(texts: readonly string[]): readonly GivenSetting[] {
  return texts.map((text) => {
    const equals = text.indexOf("=");
    const names = text.slice(0, Math.max(0, equals)).split(":");
    const key = names.at(-1) ?? "";
    const service = names.length > 1 ? names[0] : undefined;
    if (key === "" || names.length > 2 || (service !== undefined && !serviceName.test(service))) {
      throw usageFailure(
        `invalid --set ${JSON.stringify(text.split("=")[0])}: write key=value, or service:key=value for one service`,
      );
    }
    return { service, text: `${key}${text.slice(equals)}` };
  });
}

/** The settings that are for one service, in their order. */
export function settingsFor(service: string, given: readonly GivenSetting[]): readonly string[] {
  return given.filter((one) => one.service === undefined || one.service === service).map(({ text }) => text);
}
