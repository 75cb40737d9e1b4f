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

/** Where a configuration is looked for. */
export interface ConfigSources {
  /** Relative paths start here. Default: the working directory. */
  readonly folder?: string;
  /** The base file, what `--config` says; false reads none. Default: `config.yaml` or `config/default.yaml`, if there is one. */
  readonly file?: string | false;
  /** The folder of overlays such as `production.yaml`; false reads none. Default: `config`. */
  readonly overlays?: string | false;
  /** Default: `process.env`. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Variables `<prefix>__A__B` set `a.b`, and `<prefix>_ENV` names the environment. Default: `TERCEL`. */
  readonly envPrefix?: string;
  /** Keys and their values from code, over those of files and under variables. Default: none. */
  readonly values?: object;
  /** What `--set` says, `service.port=8080`; the last one wins. Default: none. */
  readonly set?: readonly string[];
}

/** A configuration that has passed every check. */
export interface LoadedConfig<Value> {
  readonly value: Value;
  readonly environment: EnvironmentName;
  /** What should be changed, but works: `config.yaml:24:17: …`. */
  readonly warnings: readonly string[];
  /** Every value and where it comes from; secrets are `•••`. */
  readonly entries: readonly ConfigEntry[];
  /** Every file that it depends on, those included that do not exist: absolute paths. */
  readonly files: readonly string[];
}

/** How the keys of a configuration are understood. */
export interface ConfigKind<Value> {
  /** All keys that there may be, for variables and `--set`. */
  readonly keys: Shape;
  readonly mergedLists: MergedLists;
  /** Where the base says that its overlays are, if it does. */
  overlaysOf?(base: MapNode): string | false | undefined;
  /** What the values that were written mean: which schema they have to fit. */
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
  /** Every value in clear, to find out what a reload changes. */
  readonly listValues: () => readonly PlainEntry[];
}

/**
 * Loads a configuration by a schema of the caller's own. With a valibot schema, unknown keys are refused and `metadata({ secret, reload, expects })`
 * counts; of other libraries' schemas the keys are not known.
 *
 * @throws ConfigError with every problem and its place
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

/** @throws ConfigError with every problem and its place */
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
  // A file that cannot be read whole would only give problems that are none.
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
  // Not before someone asks: a start does not need them.
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

/** Keys such as `x-pool`, which hold what anchors are for, as in Compose files. */
function withoutExtensions(root: MapNode): MapNode {
  return [...root.entries.keys()]
    .filter((key) => key.startsWith("x-"))
    .reduce<MapNode>((map, key) => withEntry(map, key, undefined), root);
}
