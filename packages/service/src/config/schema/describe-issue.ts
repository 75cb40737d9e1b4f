import type { ConfigProblem } from "../config-problem.ts";
import {
  type ConfigNode,
  type ConfigPath,
  entryAt,
  isUnset,
  type MapNode,
  nodeAt,
  pathText,
  type ScalarNode,
} from "../document/config-node.ts";
import { maskValue, secretMask } from "../document/mask.ts";
import type { Origin } from "../document/origin.ts";
import { keyOf, secrecyOf, shownNode } from "../document/shown-value.ts";
import { type Shape, shapeAtStep } from "./schema-shape.ts";
import type { StandardIssue } from "./standard-schema.ts";

/** Converts a schema's issue to a problem with its location: `config.yaml:5:9: service.port is "abc"; expected a number from 0 to 65535`. */
export function describeIssue(root: MapNode, issue: StandardIssue, path: ConfigPath, rootShape: Shape): ConfigProblem {
  const node = nodeAt(root, path);
  const shape = path.reduce<Shape | undefined>(shapeAtStep, rootShape);
  const name = node?.writtenAs ?? pathText(path);
  if (node === undefined || isUnset(node)) {
    return { origin: placeForMissing(root, path), message: `${name} is missing${missingAdvice(issue, shape)}` };
  }
  const { origin } = node;
  const advice = adviceFor(issue.message, node, path, shape);
  // The kit's settings describe what they expect; other schemas have complete messages.
  if (shape?.expects !== undefined || advice !== issue.message) {
    return { origin, message: `${name} is ${shownNode(node, path, shape)}; ${advice}` };
  }
  return { origin, message: name === "" ? advice : `${name}: ${advice}` };
}

/** Returns the message, unless it could reveal a secret or the setting has a better one: valibot's own messages repeat the value. */
function adviceFor(message: string, node: ConfigNode, path: ConfigPath, shape: Shape | undefined): string {
  const isDefaultMessage = message.startsWith("Invalid ");
  const isSafe = node.kind !== "scalar" || !isRevealing(message, node, path, shape);
  if (shape?.expects !== undefined && (isDefaultMessage || !isSafe)) return `expected ${shape.expects}`;
  return isSafe ? message : "invalid value";
}

function missingAdvice(issue: StandardIssue, shape: Shape | undefined): string {
  if ("type" in issue && (issue.type === "strict_object" || issue.type === "object")) {
    return shape?.expects === undefined ? "" : `; expected ${shape.expects}`;
  }
  return `; ${issue.message}`;
}

/** Whether a message may contain a secret value or a part of it. */
function isRevealing(message: string, node: ScalarNode, path: ConfigPath, shape: Shape | undefined): boolean {
  const shown = maskValue(node.value, keyOf(path), secrecyOf(node, shape));
  if (shown === node.value) return false;
  const expected = shape?.expects === undefined ? undefined : `expected ${shape.expects}`;
  return shown === secretMask ? message !== expected : message.includes(String(node.value));
}

/** Returns the location of a key without a value, else of the innermost existing map around it. */
function placeForMissing(root: MapNode, path: ConfigPath): Origin {
  for (let length = path.length; length > 0; length--) {
    const parent = path.slice(0, length);
    const entry = entryAt(root, parent);
    if (entry !== undefined) return entry.keyOrigin;
    const node = nodeAt(root, parent);
    if (node !== undefined) return node.origin;
  }
  return root.origin;
}
