import { resolve } from "node:path";
import { ConfigError, type ConfigProblem, problemText, sortProblems } from "./config-problem.ts";
import { type ConfigEntry, listEntries, type PlainEntry } from "./document/config-entries.ts";
import { type MapNode, withEntry } from "./document/config-node.ts";
import { type MergedLists, mergeNodes, noMergedLists } from "./document/merge-nodes.ts";
import { nodeOfValues } from "./document/node-of-values.ts";
import { checkSchema } from "./schema/check-schema.ts";
import { checkStructure } from "./schema/check-structure.ts";
import { type Shape, shapeOf } from "./schema/schema-shape.ts";
import type { StandardSchemaV1 } from "./schema/standard-schema.ts";
import { applyAssignments } from "./sources/apply-assignments.ts";
import { argumentAssignments, defaultPrefix, variableAssignments } from "./sources/assignments.ts";
import { readBaseFile, readOverlays, readTextFile } from "./sources/config-files.ts";
import { type EnvironmentName, readEnvironmentName } from "./sources/environment-name.ts";
import { fillPlaceholders } from "./sources/fill-placeholders.ts";

/** The sources of a configuration. */
export interface ConfigSources {
  /** Base of relative paths. Default: the working directory. */
  readonly folder?: string;
  /** The base file (`--config`); false reads none. Default: `config.yaml` or `config/default.yaml`, if it exists. */
  readonly file?: string | false;
  /** The folder of overlays such as `production.yaml`; false reads none. Default: `config`. */
  readonly overlays?: string | false;
  /** Default: `process.env`. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Variables `<prefix>__A__B` set `a.b`, and `<prefix>_ENV` names the environment. Default: `TERCEL`. */
  readonly envPrefix?: string;
  /** Keys and values from code, which override files and are overridden by variables. Default: none. */
  readonly values?: object;
  /** Settings such as `service.port=8080` (`--set`); the last one takes precedence. Default: none. */
  readonly set?: readonly string[];
}

/** A valid configuration. */
export interface LoadedConfig<Value> {
  readonly value: Value;
  readonly environment: EnvironmentName;
  /** Warnings about valid but questionable settings: `config.yaml:24:17: …`. */
  readonly warnings: readonly string[];
  /** Every value and its source; secrets are `•••`. */
  readonly entries: readonly ConfigEntry[];
  /** Absolute paths of all files that it depends on, including those that do not exist. */
  readonly files: readonly string[];
}

/** A kind of configuration: its keys and their meaning. */
export interface ConfigKind<Value> {
  /** All possible keys, for variables and `--set`. */
  readonly keys: Shape;
  readonly mergedLists: MergedLists;
  /** Returns the overlay folder that the base file names, if any. */
  overlaysOf?(base: MapNode): string | false | undefined;
  /** Determines the schema of the written values. */
  interpret(root: MapNode, environment: EnvironmentName): Interpretation<Value>;
}

export interface Interpretation<Value> {
  readonly root: MapNode;
  readonly schema: StandardSchemaV1<unknown, Value>;
  readonly shape: Shape;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

export interface LoadResult<Value> {
  readonly config: LoadedConfig<Value>;
  /** Lists every unmasked value, to compare reloads. */
  readonly listValues: () => readonly PlainEntry[];
}

/**
 * Loads a configuration with the caller's own schema. With a valibot schema, unknown keys are rejected and `metadata({ secret, reload, expects })` is
 * used; the keys of other libraries' schemas are unknown.
 *
 * @throws ConfigError with every problem and its location
 */
export async function loadConfig<Value>(
  schema: StandardSchemaV1<unknown, Value>,
  sources: ConfigSources = {},
): Promise<LoadedConfig<Value>> {
  return (await loadKind(kindOfSchema(schema), sources)).config;
}

export function kindOfSchema<Value>(schema: StandardSchemaV1<unknown, Value>): ConfigKind<Value> {
  const shape = shapeOf(schema);
  return {
    keys: shape,
    mergedLists: noMergedLists,
    interpret: (root) => ({ root, schema, shape, problems: [], warnings: [] }),
  };
}

/** Loads a configuration of a kind. @throws ConfigError with every problem and its location */
export async function loadKind<Value>(kind: ConfigKind<Value>, sources: ConfigSources): Promise<LoadResult<Value>> {
  const { variables = process.env, envPrefix = defaultPrefix } = sources;
  const folder = resolve(sources.folder ?? "");
  const secretFiles = new Set<string>();
  const readFile = (file: string): string => {
    const path = resolve(folder, file);
    secretFiles.add(path);
    return readTextFile(path);
  };
  const environment = environmentOf(variables, envPrefix);

  const base = await readBaseFile(folder, sources.file);
  const first = base.roots[0];
  const overlayFolder = sources.overlays ?? (first === undefined ? undefined : kind.overlaysOf?.(first)) ?? "config";
  const overlays = overlayFolder === false ? undefined : await readOverlays(folder, overlayFolder, environment);
  const own = sources.values === undefined ? [] : [nodeOfValues(sources.values)];
  const roots = [...base.roots, ...(overlays?.roots ?? []), ...own];
  const fileOrder = [...base.names, ...(overlays?.names ?? [])];
  const problems = [...base.problems, ...(overlays?.problems ?? [])];
  const fail = (): never => {
    throw new ConfigError(sortProblems(problems, fileOrder));
  };
  // An unreadable file would only cause misleading further problems.
  if (problems.length > 0) fail();

  const [lowest = emptyRoot, ...higher] = roots.map(withoutExtensions);
  const merged = higher.reduce((earlier, later) => mergeNodes(earlier, later, kind.mergedLists), lowest);
  const byArgument = argumentAssignments(sources.set ?? []);
  const assignments = [...variableAssignments(variables, envPrefix), ...byArgument.assignments];
  const { mergedLists } = kind;
  const assigned =
    assignments.length === 0
      ? { root: merged, problems: [] }
      : await applyAssignments(merged, assignments, { shape: kind.keys, mergedLists, readFile });
  const filled = fillPlaceholders(assigned.root, { variables, readFile });
  const { root, schema, shape, ...meaning } = kind.interpret(filled.root, environment);
  const checked = await checkSchema(root, schema, shape);
  problems.push(
    ...byArgument.problems,
    ...assigned.problems,
    ...filled.problems,
    ...meaning.problems,
    ...checkStructure(root, shape),
    ...(checked.problems ?? []),
  );
  if (problems.length > 0 || checked.problems !== undefined) return fail();
  let values: readonly PlainEntry[] | undefined;
  // Computed on demand: a start does not need them.
  const listValues = (): readonly PlainEntry[] => (values ??= listEntries(root, shape));
  const config: LoadedConfig<Value> = {
    value: checked.value,
    environment,
    warnings: sortProblems(meaning.warnings, fileOrder).map(problemText),
    get entries() {
      return listValues().map(({ shown }) => shown);
    },
    files: [...new Set([...base.candidates, ...(overlays?.candidates ?? []), ...secretFiles])],
  };
  return { config, listValues };
}

const emptyRoot: MapNode = { kind: "map", entries: new Map(), origin: { kind: "default" } };

function environmentOf(variables: Readonly<Record<string, string | undefined>>, prefix: string): EnvironmentName {
  try {
    return readEnvironmentName(variables, prefix);
  } catch (error) {
    throw error instanceof RangeError ? new ConfigError([{ message: error.message }]) : error;
  }
}

/** Removes keys such as `x-pool`, which contain anchors, as in Compose files. */
function withoutExtensions(root: MapNode): MapNode {
  return [...root.entries.keys()]
    .filter((key) => key.startsWith("x-"))
    .reduce<MapNode>((map, key) => withEntry(map, key, undefined), root);
}
