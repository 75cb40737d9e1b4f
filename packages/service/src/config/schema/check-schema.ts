import type { ConfigProblem } from "../config-problem.ts";
import {
  type ConfigNode,
  type ConfigPath,
  isUnset,
  type MapNode,
  nodeAt,
  pathText,
  type ScalarNode,
  toPlain,
} from "../document/config-node.ts";
import { describeIssue } from "./describe-issue.ts";
import { type Shape, shapeAtStep } from "./schema-shape.ts";
import type { StandardIssue, StandardSchemaV1 } from "./standard-schema.ts";

/** The schema's output, or the problems. */
export type CheckedConfig<Value> =
  | { readonly value: Value; readonly problems?: undefined }
  | { readonly problems: readonly ConfigProblem[] };

/**
 * Validates a configuration and returns its value.
 *
 * Text that looks like a number or a boolean is passed as one first, then as a string: only the schema knows whether the password `12345` and the
 * version `1.10` are strings. This works with opaque schemas too.
 */
export async function checkSchema<Value>(
  root: MapNode,
  schema: StandardSchemaV1<unknown, Value>,
  shape: Shape,
): Promise<CheckedConfig<Value>> {
  const validate = (readScalar?: (node: ScalarNode) => unknown) =>
    schema["~standard"].validate(toPlain(root, readScalar));
  let result = await validate();
  if (result.issues === undefined) return { value: result.value };
  const first = result.issues;
  const asText = new Set<ConfigNode>();
  for (const issue of first) {
    const node = nodeAt(root, issuePath(issue));
    if (node?.kind === "scalar" && node.text !== undefined) asText.add(node);
  }
  if (asText.size > 0) {
    result = await validate((node) => (asText.has(node) ? node.text : node.value));
    if (result.issues === undefined) return { value: result.value };
  }
  return { problems: problemsOf(root, result.issues, shape) };
}

function issuePath({ path = [] }: StandardIssue): ConfigPath {
  return path.map((step) => {
    const key = typeof step === "object" ? step.key : step;
    return typeof key === "number" ? key : String(key);
  });
}

/** Returns one problem per path: further ones for the same value only repeat the first. */
function problemsOf(root: MapNode, issues: readonly StandardIssue[], shape: Shape): ConfigProblem[] {
  const problems = new Map<string, ConfigProblem>();
  for (const issue of issues) {
    const path = issuePath(issue);
    const key = pathText(path);
    const node = nodeAt(root, path);
    if (isAboutUnknownKey(issue) || (node?.kind === "scalar" && node.isUnfilled === true)) continue;
    if (isMisshapen(node, path.reduce<Shape | undefined>(shapeAtStep, shape))) continue;
    if (!problems.has(key)) problems.set(key, describeIssue(root, issue, path, shape));
  }
  return [...problems.values()];
}

/** Whether a node has the wrong structure, which `checkStructure` reports. */
function isMisshapen(node: ConfigNode | undefined, shape: Shape | undefined): boolean {
  if (isUnset(node) || (shape?.kind !== "map" && shape?.kind !== "list")) return false;
  return node?.kind !== shape.kind;
}

/** Whether an issue is about an unknown key; `checkStructure` reports all of them, with suggestions. */
function isAboutUnknownKey(issue: StandardIssue): boolean {
  return "type" in issue && issue.type === "strict_object" && "expected" in issue && issue.expected === "never";
}
