import { nearestName, thrownMessage } from "@tercel/grpc/internal";
import type { ConfigProblem } from "../config-problem.ts";
import {
  type ConfigNode,
  type ConfigPath,
  childOf,
  isUnset,
  type ListNode,
  type MapNode,
  pathText,
  withEntry,
} from "../document/config-node.ts";
import { itemName, type MergedLists } from "../document/merge-nodes.ts";
import type { Origin } from "../document/origin.ts";
import type { YamlFile } from "../document/read-yaml.ts";
import { scalarFromText } from "../document/scalar-text.ts";
import { type Shape, shapeAtStep } from "../schema/schema-shape.ts";
import type { Assignment } from "./assignments.ts";

export interface AssignmentContext {
  readonly shape: Shape;
  readonly mergedLists: MergedLists;
  /** Throws when the file cannot be read. */
  readFile(file: string): string;
}

/** Applies assignments over the files' values, in order. An assignment to an unknown key is a problem. */
export async function applyAssignments(
  root: MapNode,
  assignments: readonly Assignment[],
  given: AssignmentContext,
): Promise<{ readonly root: MapNode; readonly problems: readonly ConfigProblem[] }> {
  const problems: ConfigProblem[] = [];
  // Not loaded where no value needs it.
  const isYamlNeeded = assignments.some(({ text }) => flowStart.test(text));
  const context = { ...given, ...(isYamlNeeded && (await import("../document/read-yaml.ts"))) };
  let current = root;
  for (const assignment of assignments) {
    try {
      current = assign(current, assignment, context);
    } catch (error) {
      if (!(error instanceof AssignmentProblem)) throw error;
      problems.push({ origin: assignment.origin, message: error.message });
    }
  }
  return { root: current, problems };
}

class AssignmentProblem extends Error {}

type ReadYaml = (text: string, file: string) => YamlFile;

function assign(
  root: MapNode,
  assignment: Assignment,
  context: AssignmentContext & { readonly readYaml?: ReadYaml },
): MapNode {
  try {
    const { readYaml } = context;
    return setAt(root, assignment, context, (shape) => valueNode(assignment, shape, readYaml)) as MapNode;
  } catch (error) {
    const viaFile = fileAssignment(assignment);
    if (!(error instanceof AssignmentProblem) || viaFile === undefined) throw error;
    try {
      return setAt(root, viaFile, context, () => fileNode(viaFile, context)) as MapNode;
    } catch (fileError) {
      if (!(fileError instanceof UnknownKey) || !(error instanceof UnknownKey)) throw fileError;
      throw error.hasAdvice || !fileError.hasAdvice ? error : fileError;
    }
  }
}

class UnknownKey extends AssignmentProblem {
  readonly hasAdvice: boolean;

  constructor(message: string, hasAdvice: boolean) {
    super(message);
    this.hasAdvice = hasAdvice;
  }
}

/** `…__URL_FILE=/run/secrets/url` means the content of the file for `…__URL`. */
function fileAssignment(assignment: Assignment): Assignment | undefined {
  const last = assignment.segments.at(-1) ?? "";
  if (!assignment.notation.takesFiles || !last.endsWith("_FILE")) return undefined;
  return { ...assignment, segments: [...assignment.segments.slice(0, -1), last.slice(0, -"_FILE".length)] };
}

function fileNode({ text, origin }: Assignment, { readFile }: AssignmentContext): ConfigNode {
  try {
    return scalarFromText(readFile(text).replace(/\r?\n$/, ""), { ...origin, filledFrom: [`file ${text}`] });
  } catch (error) {
    throw new AssignmentProblem(`cannot read file ${text}: ${thrownMessage(error)}`);
  }
}

function setAt(
  root: MapNode,
  assignment: Assignment,
  context: AssignmentContext,
  makeValue: (shape: Shape | undefined) => ConfigNode,
): ConfigNode {
  const { segments, origin } = assignment;
  return descend({ node: root, shape: context.shape, path: [] });

  function descend(at: Reached): ConfigNode {
    const { node, shape, path } = at;
    const segment = segments[path.length];
    if (segment === undefined) return makeValue(shape);
    const step = findStep(at, segment, assignment, context.mergedLists);
    const child = descend({ node: childOf(node, step), shape: shapeAtStep(shape, step), path: [...path, step] });
    if (node?.kind === "list") {
      return { ...node, items: node.items.map((item, index) => (index === step ? child : item)) };
    }
    const map: MapNode = node?.kind === "map" ? node : { kind: "map", entries: new Map(), origin };
    return withEntry(map, String(step), child, origin);
  }
}

/** The result of following a path. */
interface Reached {
  readonly node: ConfigNode | undefined;
  readonly shape: Shape | undefined;
  readonly path: ConfigPath;
}

/** Returns the key or index that a segment refers to. */
function findStep(
  { node, shape, path }: Reached,
  segment: string,
  { notation }: Assignment,
  mergedLists: MergedLists,
): string | number {
  const wanted = notation.normalize(segment);
  if (node?.kind === "list") {
    const index = indexOfItem(node, mergedLists.get(pathText(path)), (name) => notation.normalize(name) === wanted);
    if (index !== undefined) return index;
    if (/^[0-9]+$/.test(segment) && Number(segment) < node.items.length) return Number(segment);
    throw new AssignmentProblem(`${pathText(path)} has no entry ${wanted}`);
  }
  const keys = [...(shape?.entries.keys() ?? []), ...(node?.kind === "map" ? node.entries.keys() : [])];
  const key = keys.find((candidate) => notation.normalize(candidate) === wanted);
  if (key !== undefined) return key;
  const isFree = shape?.kind === "open" || shape?.rest !== undefined;
  if (isFree && (node?.kind === "map" || isUnset(node))) return wanted;
  const nearest = nearestName(wanted, keys);
  const advice = nearest === undefined ? "" : `; did you mean ${notation.write([...path, nearest])}?`;
  throw new UnknownKey(`unknown key ${pathText([...path, wanted])}${advice}`, nearest !== undefined);
}

function indexOfItem(
  list: ListNode,
  nameKey: string | undefined,
  isWanted: (name: string) => boolean,
): number | undefined {
  if (nameKey === undefined) return undefined;
  const index = list.items.findIndex((item) => {
    const name = itemName(item, nameKey);
    return name !== undefined && isWanted(name);
  });
  return index === -1 ? undefined : index;
}

const flowStart = /^\s*[[{]/;

/** Parses a value: lists and maps in YAML's flow style, `[a, b]` and `{ a: 1 }`, or a list as `a,b`. */
function valueNode({ text, origin }: Assignment, shape: Shape | undefined, readYaml: ReadYaml | undefined): ConfigNode {
  const isCollection = shape?.kind === "list" || shape?.kind === "map" || shape?.kind === "open";
  if (isCollection && flowStart.test(text)) {
    const node = readYaml?.(`value: ${text}`, "").root?.entries.get("value")?.node;
    if (node === undefined) {
      throw new AssignmentProblem("invalid value: expected a list or map in YAML's flow style, such as [a, b]");
    }
    return withOrigin(node, origin);
  }
  if (shape?.kind !== "list") return scalarFromText(text, origin);
  const items = text === "" ? [] : text.split(",").map((item) => scalarFromText(item.trim(), origin));
  return { kind: "list", items, origin };
}

function withOrigin(node: ConfigNode, origin: Origin): ConfigNode {
  if (node.kind === "scalar") return { ...node, origin };
  if (node.kind === "list") return { ...node, origin, items: node.items.map((item) => withOrigin(item, origin)) };
  const entries = [...node.entries].map(
    ([key, { node: child }]) => [key, { node: withOrigin(child, origin), keyOrigin: origin }] as const,
  );
  return { ...node, origin, entries: new Map(entries) };
}
