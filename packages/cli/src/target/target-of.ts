import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { CommandContext } from "../frame/context.ts";
import { devTarget } from "./dev-target.ts";
import { defaultTarget, type TargetOptions } from "./target-options.ts";

/** The server that the options name, after them the environment, and after that the folder. */
export function targetOf(options: TargetOptions, { cwd, env }: Pick<CommandContext, "cwd" | "env">): string {
  return options.target ?? env.TERCEL_TARGET ?? defaultTargetIn(cwd);
}

/**
 * The server that is meant in a folder where no one says which: the service of the folder that `tercel dev` runs, or the only one that it runs;
 * else the port that the configuration of the folder says.
 */
export function defaultTargetIn(folder: string): string {
  return devTarget(folder) ?? configuredTarget(folder) ?? defaultTarget;
}

/** Only a number that is written there: this is a convenience, and the service itself knows better. */
function configuredTarget(folder: string): string | undefined {
  const file = ["config.yaml", "config/default.yaml"]
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
  const config = file === undefined ? undefined : (readYaml(file) as ConfiguredPorts | undefined);
  const port = config?.communication?.providers?.grpc?.port ?? config?.service?.port;
  return typeof port === "number" ? `127.0.0.1:${port}` : undefined;
}

interface ConfiguredPorts {
  readonly service?: { readonly port?: unknown };
  readonly communication?: { readonly providers?: { readonly grpc?: { readonly port?: unknown } } };
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
