import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { LoadedConfig, ServiceConfig } from "@tercel/service/config";
import { loadProjectConfig } from "../config/load-project-config.ts";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { fileErrorReason } from "../frame/file-error.ts";
import { readOptionFile } from "../frame/option-file.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The variables of a service: those of the file, else of the `.env` in its folder, and over them the environment's own.
 *
 * @throws CommandFailure when the file that was named cannot be read
 */
export function serviceVariables(folder: string, envFile: string | undefined, { env, cwd }: CommandContext): Variables {
  const text =
    envFile === undefined
      ? readIfThere(join(folder, ".env"))
      : readOptionFile("--env-file", envFile, cwd).toString("utf8");
  return text === undefined ? env : { ...parseEnv(text), ...env };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CommandFailure(exitCodes.failed, `cannot read ${file}: ${fileErrorReason(error)}`);
  }
}

/** Loads the configuration of the service in a folder. @throws CommandFailure that has every problem and its place */
export async function loadFolderConfig(
  folder: string,
  set: readonly string[],
  variables: Variables,
): Promise<LoadedConfig<ServiceConfig<unknown>>> {
  return loadProjectConfig({ set }, { cwd: folder, env: variables });
}

/** A `--set` of the command line, and the service that it is for; undefined for all. */
export interface GivenSetting {
  readonly service: string | undefined;
  /** `service.port=6000` */
  readonly text: string;
}

/** Reads `key=value` and `service:key=value`. @throws CommandFailure that shows the key alone, because the value may be a secret */
export function readSettings(texts: readonly string[]): readonly GivenSetting[] {
  return texts.map((text) => {
    const [, service, key, value] = /^(?:([A-Za-z0-9][A-Za-z0-9._-]*):)?([^=:]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined) {
      throw usageFailure(
        `invalid --set ${JSON.stringify(text.split("=")[0])}: write key=value, or service:key=value for one service`,
      );
    }
    return { service, text: `${key}=${value}` };
  });
}

/** The settings that are for one service, in their order. */
export function settingsFor(service: string, given: readonly GivenSetting[]): readonly string[] {
  return given.filter((one) => one.service === undefined || one.service === service).map(({ text }) => text);
}
