import type { ScalarNode } from "./config-node.ts";
import type { Origin } from "./origin.ts";

/** Matches numbers of YAML's core schema (YAML 1.2.2 §10.3.2), without `.inf` and `.nan`, which no setting accepts. */
const numberPattern = /^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+)$/;
const flags: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
]);

/**
 * Converts text, from a variable for example, to a scalar: a number or a boolean if it looks like one, with the original in `text` for schemas that
 * expect a string. Text never becomes `null`, because an empty password is valid.
 */
export function scalarFromText(text: string, origin: Origin): ScalarNode {
  const value = flags.get(text) ?? (numberPattern.test(text) ? Number(text) : text);
  return typeof value === "string" ? { kind: "scalar", value, origin } : { kind: "scalar", value, text, origin };
}
