import { join } from "node:path";
import type { ServiceConfig } from "@tercel/service";
import type { CommandContext } from "../frame/context.ts";
import { CommandFailure } from "../frame/failure.ts";
import { ownConditions } from "../frame/node-conditions.ts";
import type { ServiceProject } from "./find-services.ts";
import { type ListenKey, listenKeys } from "./listen-keys.ts";
import type { LocalEngines } from "./local-engines.ts";
import type { PortChoice } from "./port-choice.ts";
import type { StartPlan } from "./process/supervised-service.ts";
import { type GivenSetting, loadFolderConfig, serviceVariables, settingsFor } from "./service-config.ts";
import type { StateFolder } from "./state-folder.ts";

/** What all services of a run have in common. */
export interface DevSurroundings {
  readonly context: CommandContext;
  readonly envFile: string | undefined;
  readonly isInspected: boolean;
  readonly given: readonly GivenSetting[];
  readonly ports: PortChoice;
  readonly engines: LocalEngines;
  readonly state: StateFolder;
}

export interface DevPlan extends StartPlan {
  /** Undefined if only the program itself can read it, because it has its own providers. */
  readonly config: ServiceConfig<unknown> | undefined;
  readonly isTls: boolean;
  /** The configured gRPC port, if another process uses it. */
  readonly movedFrom: number | undefined;
  /** Base URL of `/ready`, such as `http://127.0.0.1:9464`; undefined if nothing is served over HTTP. */
  readonly pages: string | undefined;
  /** URL of the metrics, such as `http://127.0.0.1:9464/metrics`. */
  readonly metrics: string | undefined;
  /** Owners of the chosen ports, with the host of each. */
  readonly owners: readonly (readonly [owner: string, host: string | undefined])[];
}

const loopback = "127.0.0.1";
const everyInterface: readonly (string | undefined)[] = [undefined, "0.0.0.0", "::"];
const inspectorPort = 9229;
/** Limit on draining: a developer should not wait half a minute for open calls. */
const maxDrainMs = 2000;

/**
 * Plans the start of a service: reads its configuration, chooses free ports, and points it to the registry and hub of this program.
 *
 * @throws CommandFailure when the file with its variables cannot be read
 */
export async function planStart({ name, folder, main }: ServiceProject, around: DevSurroundings): Promise<DevPlan> {
  const sources = { folder, envFile: around.envFile, context: around.context };
  const variables = serviceVariables(sources);
  const own = settingsFor(name, around.given);
  const loaded = await loadLeniently(sources, own);
  const config = loaded?.value;
  const isTaken = new Set(own.map(keyOf));
  const nodeArgs = ownConditions().map((condition) => `--conditions=${condition}`);
  if (around.isInspected) {
    nodeArgs.push(
      `--inspect=${loopback}:${await around.ports.choose(`${name} inspector`, { host: loopback, port: inspectorPort })}`,
    );
  }
  const settings: string[] = [];
  const owners: (readonly [string, string | undefined])[] = [];
  const places = new Map<string, { readonly host: string; readonly port: number }>();
  let movedFrom: number | undefined;
  for (const key of config === undefined ? [] : listenKeys(config)) {
    const owner = `${name} ${key.serves.join(" ")}`;
    const port = await choosePort(owner, key, isTaken, around.ports);
    owners.push([owner, key.host]);
    if (port !== key.port) settings.push(...key.settings(port));
    const isMoved = port !== key.port && key.port !== 0 && !around.ports.isGiven(key.port);
    if (isMoved && key.serves.includes("grpc")) movedFrom = key.port;
    for (const served of key.serves) places.set(served, { host: reachable(key.host), port });
  }
  if (config !== undefined) settings.push(...(await around.engines.settingsFor(config)), ...quickStop(config));
  const madeUpSecret =
    loaded !== undefined && !loaded.environment.isProduction && config?.security.secret === undefined;
  const grpc = places.get("grpc");
  const pages = places.get("metrics") ?? places.get("http");
  const metrics = places.get("metrics");
  return {
    command: {
      main,
      folder,
      nodeArgs,
      // Options of the command line come last, so they take precedence.
      args: [...settings.filter((setting) => !isTaken.has(keyOf(setting))), ...own].flatMap((one) => ["--set", one]),
      variables: {
        ...variables,
        NODE_COMPILE_CACHE: variables.NODE_COMPILE_CACHE ?? join(around.state.path, "compiled"),
        ...(madeUpSecret && { TERCEL__SECURITY__SECRET: around.state.secret() }),
      },
    },
    address: grpc?.port === 0 ? undefined : grpc,
    config,
    isTls: config?.grpc?.tls.enabled === true,
    movedFrom,
    pages: pages && urlOf(pages),
    metrics: metrics && `${urlOf(metrics)}${metricsPath(config)}`,
    owners,
  };
}

/** Loads a configuration, or returns undefined: the program itself reports errors, and may have providers unknown here. */
async function loadLeniently(...args: Parameters<typeof loadFolderConfig>) {
  try {
    return await loadFolderConfig(...args);
  } catch (error) {
    if (error instanceof CommandFailure) return undefined;
    throw error;
  }
}

/** Chooses a port. One set on the command line is kept even if it is in use. */
async function choosePort(
  owner: string,
  key: ListenKey,
  given: ReadonlySet<string>,
  ports: PortChoice,
): Promise<number> {
  if (key.settings(key.port).some((setting) => given.has(keyOf(setting)))) return key.port;
  return ports.choose(owner, key);
}

function quickStop({ service }: ServiceConfig<unknown>): readonly string[] {
  return [
    ...(service.drainMs > maxDrainMs ? [`service.drain=${maxDrainMs}ms`] : []),
    ...(service.propagationMs > 0 ? ["service.propagation=0"] : []),
  ];
}

function keyOf(setting: string): string {
  return setting.slice(0, setting.indexOf("="));
}

function reachable(host: string | undefined): string {
  return host === undefined || everyInterface.includes(host) ? loopback : host;
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function metricsPath(config: ServiceConfig<unknown> | undefined): string {
  const entry = config?.concerns.monitoring?.entries.find(({ type }) => type === "prometheus");
  return (entry?.config as { readonly path?: string } | undefined)?.path ?? "/metrics";
}
