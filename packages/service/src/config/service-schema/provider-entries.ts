import { nearestName } from "@tercel/grpc/internal";
import { type InferOutput, looseObject, object, optional, record, string } from "valibot";
import type { ConfigProblem } from "../config-problem.ts";
import { type ConfigNode, childOf, isUnset, type MapNode, withEntry } from "../document/config-node.ts";
import { type Shape, shapeOf } from "../schema/schema-shape.ts";
import { flag, text } from "../values/basic-values.ts";
import { findType, type ProviderType } from "./provider-types.ts";

/** An entry of `<concern>.providers` with its type. */
export interface WrittenEntry {
  readonly name: string;
  readonly type: ProviderType;
  readonly isEnabled: boolean;
}

export interface WrittenConcern {
  readonly concern: string;
  readonly entries: readonly WrittenEntry[];
  readonly shape: Shape;
  readonly problems: readonly ConfigProblem[];
}

/** Keys of every entry, regardless of its type. */
const commonKeys = {
  type: optional(text({ description: "Type of the provider, if the entry's name is not a type." })),
  enabled: optional(flag({ description: "`false` ignores the entry." }), true),
};
const commonShape = shapeOf(object(commonKeys));

/** A section such as `database`. Other keys of its entries are validated by the schemas of their types. */
const concernSchema = object({
  default: optional(text({ description: "Entry to use if the code names none. Default: the only one." })),
  providers: optional(record(string(), looseObject(commonKeys)), {}),
});

/** `logging` has an additional key. */
const loggingSchema = object({
  ...concernSchema.entries,
  calls: optional(flag({ description: "Logs a line for each call." }), true),
});

export type ConcernSection = InferOutput<typeof concernSchema> & Partial<InferOutput<typeof loggingSchema>>;

export function concernSection(concern: string): typeof concernSchema {
  return concern === "logging" ? loggingSchema : concernSchema;
}

/** Determines the types of a concern's entries: by `type`, else by the name. */
export function readConcern(
  concern: string,
  node: ConfigNode | undefined,
  types: readonly ProviderType[],
): WrittenConcern {
  const problems: ConfigProblem[] = [];
  const entries: WrittenEntry[] = [];
  const shapes = new Map<string, Shape>();
  const providers = childOf(node, "providers");
  for (const [name, entry] of providers?.kind === "map" ? providers.entries : []) {
    const typeNode = childOf(entry.node, "type");
    const written = textOf(typeNode);
    const typeName = written ?? name;
    const type = findType(types, concern, typeName);
    if (type === undefined) {
      shapes.set(name, openShape);
      if (typeNode?.kind === "scalar" && typeNode.isUnfilled) continue;
      const path = `${concern}.providers.${name}`;
      const message = unknownType(path, concern, written, types);
      problems.push({ origin: typeNode?.origin ?? entry.keyOrigin, message });
      continue;
    }
    const enabled = childOf(entry.node, "enabled");
    entries.push({ name, type, isEnabled: !(enabled?.kind === "scalar" && enabled.value === false) });
    shapes.set(name, entryShape(shapeOf(type.config)));
  }
  return { concern, entries, problems, shape: concernShape(concern, shapes) };
}

const openShape: Shape = { kind: "open", entries: new Map(), isRequired: false, isLive: false };

/** Returns a scalar as text: `type: 5` is the type named 5. */
function textOf(node: ConfigNode | undefined): string | undefined {
  return node?.kind === "scalar" && !isUnset(node) ? (node.text ?? String(node.value)) : undefined;
}

function unknownType(
  path: string,
  concern: string,
  typeName: string | undefined,
  types: readonly ProviderType[],
): string {
  const known = types.filter((type) => type.concern === concern).map(({ type }) => type);
  const given = typeName ?? path.slice(path.lastIndexOf(".") + 1);
  const nearest = nearestName(given, known);
  const what = typeName === undefined ? `${path} has no type` : `unknown ${path}.type ${JSON.stringify(typeName)}`;
  const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  const list = known.length === 0 ? "no types are known" : `known types: ${known.join(", ")}`;
  return `${what}${hint || ";"} ${list}; to use your own, add a provider with concern "${concern}" and that type to the definition's providers`;
}

function entryShape(config: Shape): Shape {
  if (config.kind !== "map") return openShape;
  return { ...config, isRequired: false, entries: new Map([...commonShape.entries, ...config.entries]) };
}

function concernShape(concern: string, entries: ReadonlyMap<string, Shape>, rest?: Shape): Shape {
  const section = shapeOf(concernSection(concern));
  const providers: Shape = {
    kind: "map",
    isRequired: true,
    isLive: false,
    entries,
    ...(rest !== undefined && { rest }),
  };
  return { ...section, entries: new Map([...section.entries, ["providers", providers]]) };
}

/** Returns the keys of all types of a concern, for variables that are read before the type is known. */
export function anyEntryShape(concern: string, types: readonly ProviderType[]): Shape {
  const shapes = types.filter((type) => type.concern === concern).map(({ config }) => shapeOf(config));
  return concernShape(concern, new Map(), mergeShapes([commonShape, ...shapes]));
}

/** Merges shapes: the keys of all of them, recursively. */
function mergeShapes(shapes: readonly Shape[]): Shape {
  const [first = openShape, ...others] = shapes;
  if (others.length === 0) return first;
  if (shapes.some(({ kind }) => kind !== "map")) return shapes.find(({ kind }) => kind !== "map") ?? openShape;
  const entries = new Map<string, Shape>();
  for (const key of new Set(shapes.flatMap((shape) => [...shape.entries.keys()]))) {
    entries.set(key, mergeShapes(shapes.map((shape) => shape.entries.get(key)).filter((shape) => shape !== undefined)));
  }
  const rest = shapes.find((shape) => shape.rest !== undefined)?.rest;
  return { ...first, isRequired: false, entries, ...(rest !== undefined && { rest }) };
}

/** Replaces entries without keys, such as `console:`, by entries with defaults. */
export function withEmptyEntries(root: MapNode, concern: string): MapNode {
  const section = childOf(root, concern);
  const providers = childOf(section, "providers");
  if (section?.kind !== "map" || providers?.kind !== "map") return root;
  let filled = providers;
  for (const [name, { node }] of providers.entries) {
    if (isUnset(node)) filled = withEntry(filled, name, { kind: "map", entries: new Map(), origin: node.origin });
  }
  return filled === providers ? root : withEntry(root, concern, withEntry(section, "providers", filled));
}
