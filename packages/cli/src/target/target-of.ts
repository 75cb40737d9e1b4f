import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { CommandContext } from "../frame/context.ts";
import { devTarget } from "./dev-target.ts";
import { defaultTarget, type TargetOptions } from "./target-options.ts";

/** Returns the target: of the options, else of the environment, else of the folder. */
export function targetOf(options: TargetOptions, { cwd, env }: Pick<CommandContext, "cwd" | "env">): string {
  return options.target ?? env.TERCEL_TARGET ?? defaultTargetIn(cwd);
}

/**
 * Returns the default target in a folder: the folder's service that `tercel dev` runs, or the only one that it runs; else the port in the
 * folder's configuration.
 */
export function defaultTargetIn(folder: string): string {
  return devTarget(folder) ?? configuredTarget(folder) ?? defaultTarget;
}

/** Reads a literal port from the configuration, without resolving overlays or variables: this is only a convenience. */
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
