import { nearestName } from "@tercel/grpc/internal";
import type { ConfigProblem } from "../config-problem.ts";
import { type ConfigNode, type ConfigPath, isUnset, pathText } from "../document/config-node.ts";
import { shownNode } from "../document/shown-value.ts";
import { type Shape, shapeAtStep } from "./schema-shape.ts";

const maxListedKeys = 20;
const kindNames = { map: "a map of keys", list: "a list" } as const;

/**
 * Returns the structural problems: unknown keys, with suggestions, and values that are not a map or a list where one is expected.
 */
export function checkStructure(node: ConfigNode, shape: Shape | undefined, path: ConfigPath = []): ConfigProblem[] {
  if (shape === undefined || isUnset(node) || (shape.kind !== "map" && shape.kind !== "list")) return [];
  if (shape.kind !== node.kind) {
    const message = `${node.writtenAs ?? pathText(path)} is ${shownNode(node, path, shape)}; expected ${kindNames[shape.kind]}`;
    return [{ origin: node.origin, message }];
  }
  if (node.kind === "list") {
    return node.items.flatMap((item, index) => checkStructure(item, shape.item, [...path, index]));
  }
  if (node.kind !== "map") return [];
  return [...node.entries].flatMap(([key, entry]) => {
    const childPath = [...path, key];
    const child = shapeAtStep(shape, key);
    if (child !== undefined) return checkStructure(entry.node, child, childPath);
    const shown = entry.node.writtenAs ?? pathText(childPath);
    return [{ origin: entry.keyOrigin, message: `unknown key ${shown}${adviceFor(key, [...shape.entries.keys()])}` }];
  });
}

function adviceFor(key: string, known: readonly string[]): string {
  const meant = known.find((name) => plain(name) === plain(key)) ?? nearestName(key, known);
  if (meant !== undefined) return `; did you mean ${meant}?`;
  return known.length === 0 || known.length > maxListedKeys ? "" : `; known keys: ${known.join(", ")}`;
}

/** Normalizes a key: `maxConnections` and `max-connections` match `max_connections`. */
function plain(key: string): string {
  return key.toLowerCase().replace(/[-_]/g, "");
}
