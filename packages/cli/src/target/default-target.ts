import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { parse } from "yaml";

/** Where a Tercel service listens unless something else is said. */
export const defaultTarget = "127.0.0.1:50051";

/** What `tercel dev` writes while it runs. */
interface DevRecord {
  readonly pid: number;
  readonly services: readonly { readonly folder: string; readonly target?: string }[];
}

/**
 * The server that is meant in a folder where no one says which: the service of the folder that `tercel dev` runs, or the only one that it runs;
 * else the port that the configuration of the folder says.
 */
export function defaultTargetIn(folder: string): string {
  return runningTarget(folder) ?? configuredTarget(folder) ?? defaultTarget;
}

/** From the folder up, because `tercel dev` may run a whole workspace. */
function runningTarget(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const record = readJson(join(at, ".tercel/dev.json")) as DevRecord | undefined;
    if (record !== undefined && isRunning(record.pid)) return targetAmong(record.services, folder);
    if (dirname(at) === at) return undefined;
  }
}

function targetAmong(services: DevRecord["services"], folder: string): string | undefined {
  const own = services.find((service) => `${resolve(folder)}${sep}`.startsWith(`${service.folder}${sep}`));
  if (own !== undefined) return own.target;
  const [only, second] = services;
  return second === undefined ? only?.target : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
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

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
