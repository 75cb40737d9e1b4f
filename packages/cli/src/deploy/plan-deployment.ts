import { existsSync, readFileSync } from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import type { ConfigEntry, LoadedConfig, ServiceConfig } from "@tercel/service/config";
import { loadProjectConfig } from "../config/load-project-config.ts";
import { findServices } from "../dev/find-services.ts";
import { listenKeys } from "../dev/listen-keys.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { type Placeholder, requiredPlaceholders } from "./config-placeholders.ts";
import type { DeploymentPlan, Engine, PlannedVariable, TlsFiles } from "./deployment-plan.ts";

export interface PlanOptions {
  readonly set: readonly string[];
  readonly image?: string;
}

const environment = "production";
const tlsFolder = "/etc/tls";
const grpcTls = "communication.providers.grpc.tls";
/** File names of certificates whose paths come from variables. */
const tlsKeys: readonly (readonly [key: string, file: string])[] = [
  ["cert_file", "tls.crt"],
  ["key_file", "tls.key"],
  ["ca_file", "ca.crt"],
];

/**
 * Example values of variables: addresses of servers next to the service, as compose starts them. The first one whose pattern matches the key
 * is used.
 */
const examples: readonly (readonly [key: RegExp, value: (name: string) => string])[] = [
  [/^database\..*url$/, (name) => `postgres://postgres:password@postgres:5432/${name.replaceAll("-", "_")}`],
  [/^cache\..*\.url$/, () => "redis://redis:6379"],
  [/^events\..*\.url$/, () => "nats://nats:4222"],
  [/^(?:discovery\..*|registry)\.address$/, () => "consul:8500"],
  [/^discovery\.providers\.[^.[]+\.endpoints\[\d+\]$/, () => "etcd:2379"],
  [/^(?:monitoring\..*\.endpoint|tracing\.\w+_endpoint)$/, () => "http://otel-collector:4318"],
  [/jwks_url$/, () => "https://issuer.example.com/.well-known/jwks.json"],
  [/\.issuer$/, () => "https://issuer.example.com"],
  [/(?:secret|_key|token|password)$/, () => "a value of 32 characters or more"],
  [/port$/, () => "50051"],
];

/**
 * Plans the deployment of the service in a folder from its production configuration. Variables of this process are ignored, so that the files
 * are the same on every machine.
 *
 * @throws CommandFailure when the folder does not contain exactly one service, or its configuration is invalid
 */
export async function planDeployment(folder: string, { set, image }: PlanOptions): Promise<DeploymentPlan> {
  const [project, other] = findServices(folder);
  if (project === undefined || other !== undefined || project.folder !== folder) {
    throw new CommandFailure(
      exitCodes.notFound,
      "no single service in this folder: run tercel deploy in the folder of a service",
    );
  }
  const placeholders = requiredPlaceholders(configTexts(folder));
  const name = await serviceNameOf(folder, set, placeholders);
  const loaded = await load(folder, set, placeholders, name);
  const config = loaded.value;
  const tls = tlsFilesOf(config, placeholders);
  const listeners = listenKeys(config);
  const portOf = (served: "grpc" | "metrics" | "http"): number | undefined =>
    listeners.find(({ serves }) => serves.includes(served))?.port;
  const grpcPort = portOf("grpc");
  if (grpcPort === undefined || grpcPort === 0) {
    throw new CommandFailure(exitCodes.invalidInput, "no gRPC port is configured: set service.port");
  }
  return {
    name: kubernetesName(name),
    image: readImage(image) ?? `${kubernetesName(name)}:${versionOf(folder)}`,
    manager: managerOf(folder),
    hasProtos: existsSync(join(folder, "buf.gen.yaml")) || existsSync(join(folder, "buf.yaml")),
    folders: ["config", "migrations"].filter((one) => existsSync(join(folder, one))),
    grpcPort,
    pagesPort: portOf("metrics") ?? portOf("http"),
    metricsPath: metricsPathOf(config),
    tls,
    stop: {
      drainSeconds: Math.ceil(config.service.drainMs / 1000),
      // Time for each provider to close, and for the last log lines.
      partsSeconds: Math.ceil(config.service.stopTimeoutMs / 1000) + 5,
    },
    database: databaseOf(config),
    engines: enginesOf(config),
    variables: placeholders.map((one) => planVariable(one, name, tls, loaded.entries)),
    settings: set.map(toVariable),
    dependencies: config.dependencies.filter(({ target }) => target === undefined).map((one) => one.name),
  };
}

function configTexts(folder: string): readonly string[] {
  return ["config.yaml", "config/default.yaml", `config/${environment}.yaml`]
    .map((file) => join(folder, file))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"));
}

/** Reads the service's name alone: the example addresses need it, and loading the rest needs them. */
async function serviceNameOf(
  folder: string,
  set: readonly string[],
  placeholders: readonly Placeholder[],
): Promise<string> {
  return (await load(folder, set, placeholders, "service")).value.service.name;
}

function load(
  folder: string,
  set: readonly string[],
  placeholders: readonly Placeholder[],
  name: string,
): Promise<LoadedConfig<ServiceConfig<unknown>>> {
  // A file that exists; the real one is in the cluster.
  const someFile = ["config.yaml", "config/default.yaml", "package.json"]
    .map((file) => join(folder, file))
    .find((file) => existsSync(file));
  const variables = placeholders.map((one) => [one.name, isFile(one) ? someFile : exampleOf(one, name)]);
  const env = { ...Object.fromEntries(variables), NODE_ENV: environment };
  // .env is for this machine.
  return loadProjectConfig({ set, envFile: devNull }, { cwd: folder, env });
}

function isFile({ paths }: Placeholder): boolean {
  return paths.some((path) => path.endsWith("_file"));
}

function exampleOf({ paths: [path = ""], name }: Placeholder, service: string): string {
  return examples.find(([pattern]) => pattern.test(path))?.[1](service) ?? name.toLowerCase();
}

function planVariable(
  placeholder: Placeholder,
  service: string,
  tls: TlsFiles | undefined,
  entries: readonly ConfigEntry[],
): PlannedVariable {
  const { name, paths } = placeholder;
  const tlsFile = tlsKeys.find(([key]) =>
    paths.some((path) => path === `${grpcTls}.${key}` || path === `security.${key}`),
  );
  if (tls !== undefined && tlsFile !== undefined) return { name, kind: "tls", example: `${tlsFolder}/${tlsFile[1]}` };
  if (isFile(placeholder)) return { name, kind: "file", example: "" };
  const isSecret = entries.some(({ path, value }) => paths.includes(path) && String(value).includes("•••"));
  return { name, kind: isSecret ? "secret" : "plain", example: exampleOf(placeholder, service) };
}

function tlsFilesOf(config: ServiceConfig<unknown>, placeholders: readonly Placeholder[]): TlsFiles | undefined {
  const tls = config.grpc?.tls;
  if (tls?.enabled !== true) return undefined;
  const pathOf = (key: string, configured: string): string => {
    const isVariable = placeholders.some(({ paths }) =>
      paths.some((path) => path === `${grpcTls}.${key}` || path === `security.${key}`),
    );
    return isVariable ? `${tlsFolder}/${tlsKeys.find(([one]) => one === key)?.[1]}` : configured;
  };
  const files = {
    certFile: pathOf("cert_file", tls.certFile ?? ""),
    keyFile: pathOf("key_file", tls.keyFile ?? ""),
    caFile: tls.caFile === undefined ? undefined : pathOf("ca_file", tls.caFile),
  };
  const folders = new Set(
    Object.values(files).flatMap((path) => (path === undefined ? [] : [path.slice(0, path.lastIndexOf("/"))])),
  );
  if (folders.size === 1 && files.certFile.startsWith("/")) return files;
  throw new CommandFailure(
    exitCodes.invalidInput,
    `cannot mount a Secret for the files of ${grpcTls}: they must be in one folder with an absolute path`,
    { hint: `set cert_file: \${TLS_CERT_FILE} and key_file: \${TLS_KEY_FILE}` },
  );
}

function databaseOf({ concerns }: ServiceConfig<unknown>): DeploymentPlan["database"] {
  const types = (concerns.database?.entries ?? []).map(({ type }) => type);
  return types.includes("postgres") ? "postgres" : types.includes("sqlite") ? "sqlite" : undefined;
}

function enginesOf({ concerns, security }: ServiceConfig<unknown>): readonly Engine[] {
  const has = (concern: string, type: string): boolean =>
    concerns[concern]?.entries.some((entry) => entry.type === type) === true;
  const all: readonly (readonly [Engine, boolean])[] = [
    ["redis", has("cache", "redis")],
    ["nats", has("events", "nats")],
    ["consul", has("discovery", "consul")],
    ["etcd", has("discovery", "etcd")],
    ["kubernetes", has("discovery", "kubernetes")],
    ["otlp", has("monitoring", "otlp")],
    ["issuer", security.jwt?.enabled === true && security.jwt.jwksUrl !== undefined],
  ];
  return all.filter(([, isUsed]) => isUsed).map(([engine]) => engine);
}

function metricsPathOf({ concerns }: ServiceConfig<unknown>): string | undefined {
  const entry = concerns.monitoring?.entries.find(({ type }) => type === "prometheus");
  return entry === undefined ? undefined : ((entry.config as { readonly path?: string }).path ?? "/metrics");
}

/** Converts `service.port=8080` to `TERCEL__SERVICE__PORT` and its value. */
function toVariable(setting: string): readonly [string, string] {
  const at = setting.indexOf("=");
  const name = setting
    .slice(0, at)
    .split(".")
    .map((step) => step.toUpperCase().replaceAll("-", "_"));
  return [["TERCEL", ...name].join("__"), setting.slice(at + 1)];
}

/** Converts a name to an RFC 1123 label, as Kubernetes requires. */
function kubernetesName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .slice(0, 50)
    .replace(/^-+|-+$/g, "");
}

function readImage(image: string | undefined): string | undefined {
  if (image === undefined) return undefined;
  if (/^[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(image)) return image;
  throw usageFailure(
    `invalid --image ${JSON.stringify(image)}: expected a name and a tag, such as registry.example.com/user-service:1.4.0`,
  );
}

function versionOf(folder: string): string {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { readonly version?: string };
    return version ?? "latest";
  } catch {
    return "latest";
  }
}

const lockFiles: readonly (readonly [file: string, manager: DeploymentPlan["manager"]])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
];

function managerOf(folder: string): DeploymentPlan["manager"] {
  return lockFiles.find(([file]) => existsSync(join(folder, file)))?.[1] ?? "npm";
}
