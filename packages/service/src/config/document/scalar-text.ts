import type { ScalarNode } from "./config-node.ts";
import type { Origin } from "./origin.ts";

/** Numbers as YAML's core schema has them (YAML 1.2.2 §10.3.2), without `.inf` and `.nan`, which no setting takes. */
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
 * A value that came as text, from a variable for example. It is a number or a boolean where it looks like one; where the schema wants text,
 * `text` has it. Nothing that comes as text is `null`: an empty password is one.
 */
export function scalarFromText(text: string, origin: Origin): ScalarNode {
  const value = flags.get(text) ?? (numberPattern.test(text) ? Number(text) : text);
  return typeof value === "string" ? { kind: "scalar", value, origin } : { kind: "scalar", value, text, origin };
}
