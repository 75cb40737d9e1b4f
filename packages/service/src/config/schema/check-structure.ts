import { nearestName } from "@tercel/grpc/internal";
import type { ConfigProblem } from "../config-problem.ts";
import { type ConfigNode, isUnset, type MapEntry, pathText } from "../document/config-node.ts";
import { shownNode } from "../document/shown-value.ts";
import { type Shape, shapeAtStep } from "./schema-shape.ts";

const maxListedKeys = 20;
const kindNames = { map: "a map of keys", list: "a list" } as const;

/**
 * Returns the structural problems: unknown keys, with suggestions, and values that are not a map or a list where one is expected.
 */
export function checkStructure(root: ConfigNode, rootShape: Shape | undefined): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  /** Of the node that is looked at. */
  const path: (string | number)[] = [];
  visit(root, rootShape);
  return problems;

  function visit(node: ConfigNode, shape: Shape | undefined): void {
    if (shape === undefined || isUnset(node) || (shape.kind !== "map" && shape.kind !== "list")) return;
    if (shape.kind !== node.kind) {
      const message = `${node.writtenAs ?? pathText(path)} is ${shownNode(node, path, shape)}; expected ${kindNames[shape.kind]}`;
      problems.push({ origin: node.origin, message });
    } else if (node.kind === "list") {
      for (const [index, item] of node.items.entries()) below(index, () => visit(item, shape.item));
    } else if (node.kind === "map") {
      for (const [key, entry] of node.entries) below(key, () => visitEntry(key, entry, shape));
    }
  }

  function visitEntry(key: string, { node, keyOrigin }: MapEntry, parent: Shape): void {
    const shape = shapeAtStep(parent, key);
    if (shape !== undefined) {
      visit(node, shape);
      return;
    }
    const shown = node.writtenAs ?? pathText(path);
    problems.push({ origin: keyOrigin, message: `unknown key ${shown}${adviceFor(key, [...parent.entries.keys()])}` });
  }

  function below(step: string | number, look: () => void): void {
    path.push(step);
    look();
    path.pop();
  }
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
