import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { ConfigProblem } from "./config-problem.ts";
import { childOf, isUnset, type MapNode, nodeAt, withEntry } from "./document/config-node.ts";
import {
  type ConfigKind,
  type ConfigSources,
  type Interpretation,
  type LoadedConfig,
  loadKind,
} from "./load-config.ts";
import { type Shape, shapeOf } from "./schema/schema-shape.ts";
import type { StandardResult } from "./schema/standard-schema.ts";
import { assembleConfig } from "./service-schema/assemble-config.ts";
import { type Section, type SectionValues, sectionsSchema } from "./service-schema/check-sections.ts";
import { crossChecks, type FileExists } from "./service-schema/cross-checks.ts";
import { isJaegerEndpoint, otlpUrl } from "./service-schema/observability-types.ts";
import {
  anyEntryShape,
  concernSection,
  readConcern,
  type WrittenConcern,
  withEmptyEntries,
} from "./service-schema/provider-entries.ts";
import { allTypes, knownConcerns, type ProviderType } from "./service-schema/provider-types.ts";
import { plainSections, type ServiceConfig, type SettingsSchema } from "./service-schema/service-config.ts";
import {
  expandShortForms,
  metricsShort,
  registryShort,
  securityTlsShort,
  tracingShort,
} from "./service-schema/short-forms.ts";
import type { EnvironmentName } from "./sources/environment-name.ts";

export interface ServiceConfigOptions<App> extends ConfigSources {
  /** The application's own providers, whose types the configuration may use. Default: none. */
  readonly providers?: readonly ProviderType[];
  /** The schema of the key `app`. Default: the key is not allowed. */
  readonly settings?: SettingsSchema<App>;
}

/**
 * Loads the configuration of a service.
 *
 * @throws ConfigError with every problem and its location
 */
export async function loadServiceConfig<App = undefined>(
  options: ServiceConfigOptions<App> = {},
): Promise<LoadedConfig<ServiceConfig<App>>> {
  return (await loadKind(serviceKind(options), options)).config;
}

/** Returns the kind of a service's configuration. */
export function serviceKind<App>(options: ServiceConfigOptions<App>): ConfigKind<ServiceConfig<App>> {
  const { providers = [], settings } = options;
  const folder = resolve(options.folder ?? "");
  let keys: Shape | undefined;
  return {
    // Made when a variable or `--set` is laid over the files.
    get keys() {
      keys ??= allKeys(providers, settings);
      return keys;
    },
    mergedLists: new Map([["dependencies", "name"]]),
    overlaysOf(base) {
      const file = nodeAt(base, ["config", "providers", "file"]);
      const [path, enabled] = [childOf(file, "path"), childOf(file, "enabled")];
      if (enabled?.kind === "scalar" && enabled.value === false) return false;
      return path?.kind === "scalar" && typeof path.value === "string" ? path.value : undefined;
    },
    interpret: (root, environment) =>
      interpret(root, environment, { providers, settings, fileExists: (file) => existsSync(resolve(folder, file)) }),
  };
}

/** Sections that have an effect only if they are present. */
const onlyWhereWritten: readonly string[] = ["rate_limit", "idempotency", "dependencies"];

const mapShape = (entries: ReadonlyMap<string, Shape>): Shape => ({
  kind: "map",
  entries,
  isRequired: true,
  isLive: false,
});

/** Returns all possible keys, including short forms. */
function allKeys(providers: readonly ProviderType[], settings: object | undefined): Shape {
  const profile = { isProduction: false };
  const types = allTypes(profile, providers);
  const entries = new Map<string, Shape>(
    Object.entries(plainSections(profile)).map(([key, schema]) => [key, shapeOf(schema)]),
  );
  for (const concern of concernsOf(types)) entries.set(concern, anyEntryShape(concern, types));
  addShortForms(entries);
  if (settings !== undefined) entries.set("app", shapeOf(settings));
  return mapShape(entries);
}

function addShortForms(entries: Map<string, Shape>): void {
  for (const [key, schema] of Object.entries({
    registry: registryShort,
    tracing: tracingShort,
    metrics: metricsShort,
  })) {
    entries.set(key, { ...shapeOf(schema), isRequired: false });
  }
  const security = entries.get("security");
  if (security === undefined) return;
  entries.set("security", {
    ...security,
    entries: new Map([...security.entries, ...shapeOf(securityTlsShort).entries]),
  });
}

function concernsOf(types: readonly ProviderType[]): string[] {
  return [...new Set([...knownConcerns, ...types.map(({ concern }) => concern)])];
}

/** What the meaning of keys depends on, apart from the written values. */
interface Knowledge<App> {
  readonly providers: readonly ProviderType[];
  readonly settings: SettingsSchema<App> | undefined;
  readonly fileExists: FileExists;
}

function interpret<App>(
  written: MapNode,
  environment: EnvironmentName,
  { providers, settings, fileExists }: Knowledge<App>,
): Interpretation<ServiceConfig<App>> {
  const types = allTypes(environment, providers);
  const concerns = concernsOf(types);
  const expanded = expandShortForms(written);
  // A service without these sections still logs and serves gRPC.
  const complete = withImplicit(withImplicit(expanded.root, "logging", "console"), "communication", "grpc");
  const root = concerns.reduce(withEmptyEntries, complete);
  const read = concerns.map((concern) => readConcern(concern, childOf(root, concern), types));
  const plain = plainSections(environment);

  const entries = new Map<string, Shape>(Object.entries(plain).map(([key, schema]) => [key, shapeOf(schema)]));
  for (const { concern, shape } of read) entries.set(concern, shape);
  // Short forms are expanded by now, but suggestions for misspelt keys include them.
  addShortForms(entries);
  if (settings !== undefined) entries.set("app", shapeOf(settings));

  const sections: Section[] = [
    ...Object.entries(plain).map(
      ([key, schema]): Section => ({
        path: [key],
        schema,
        isAlwaysThere: !onlyWhereWritten.includes(key),
      }),
    ),
    ...concerns.map((concern): Section => ({ path: [concern], schema: concernSection(concern), isAlwaysThere: true })),
    ...read.flatMap(entrySections),
    ...(settings === undefined ? [] : [{ path: ["app"], schema: settings, isAlwaysThere: true }]),
  ];
  const assemble = (values: SectionValues): StandardResult<ServiceConfig<App>> => {
    const config = assembleConfig<App>(values, read, environment);
    const issues = crossChecks(config, environment, fileExists);
    return issues.length === 0 ? { value: config } : { issues };
  };
  return {
    root,
    schema: sectionsSchema(sections, assemble),
    shape: mapShape(entries),
    problems: [...expanded.problems, ...read.flatMap(({ problems }) => problems)],
    warnings: read.flatMap((concern) => jaegerWarnings(concern, root)),
  };
}

/** Returns the root with a default entry, unless the concern has an entry. */
function withImplicit(root: MapNode, concern: string, name: string): MapNode {
  const providers = nodeAt(root, [concern, "providers"]);
  const isTaken =
    providers?.kind === "map" &&
    (concern === "communication" ? providers.entries.has(name) : providers.entries.size > 0);
  if (isTaken) return root;
  const origin = { kind: "default" } as const;
  const empty: MapNode = { kind: "map", entries: new Map(), origin };
  const section = childOf(root, concern);
  const sectionMap = section?.kind === "map" ? section : empty;
  if (section !== undefined && section.kind !== "map" && !isUnset(section)) return root;
  const providersMap = providers?.kind === "map" ? providers : empty;
  return withEntry(root, concern, withEntry(sectionMap, "providers", withEntry(providersMap, name, empty)));
}

function entrySections({ concern, entries }: WrittenConcern): Section[] {
  return entries
    .filter(({ isEnabled }) => isEnabled)
    .map(({ name, type }) => ({
      path: [concern, "providers", name],
      schema: type.config,
      without: ["type", "enabled"],
      isAlwaysThere: true,
    }));
}

/** Warns about endpoints of Jaeger's own protocol, which is no longer supported; traces go to its OTLP port. */
function jaegerWarnings({ concern, entries }: WrittenConcern, root: MapNode): ConfigProblem[] {
  return entries.flatMap(({ name, isEnabled }) => {
    const node = nodeAt(root, [concern, "providers", name, "endpoint"]);
    if (concern !== "monitoring" || !isEnabled || node?.kind !== "scalar" || typeof node.value !== "string") return [];
    if (!isJaegerEndpoint(node.value)) return [];
    const path = node.writtenAs ?? `${concern}.providers.${name}.endpoint`;
    const message = `${path} is an endpoint of Jaeger's own protocol; traces are sent by OTLP to ${otlpUrl(node.value)}`;
    return [{ origin: node.origin, message }];
  });
}
