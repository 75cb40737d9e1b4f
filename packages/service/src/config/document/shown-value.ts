import type { Shape } from "../schema/schema-shape.ts";
import type { ConfigNode, ConfigPath, ScalarNode } from "./config-node.ts";
import { maskValue, type Secrecy } from "./mask.ts";

const maxShownLength = 80;

/** Formats a value for messages: as written, shortened, with secrets masked. */
export function shownNode(node: ConfigNode, path: ConfigPath, shape: Shape | undefined): string {
  if (node.kind !== "scalar") return node.kind === "map" ? "a map" : "a list";
  const { value, text } = node;
  const masked = maskValue(value, keyOf(path), secrecyOf(node, shape));
  if (masked !== value) return String(masked);
  return typeof value === "string" ? JSON.stringify(value.slice(0, maxShownLength)) : (text ?? String(value));
}

/** Returns the key of a value; for an item of a list, the key of the list. */
export function keyOf(path: ConfigPath): string {
  return String(path.findLast((step) => typeof step === "string") ?? "");
}

/** Returns the schema's secrecy; a value from a secrets file is always secret. */
export function secrecyOf(node: ScalarNode, shape: Shape | undefined): Secrecy | undefined {
  const isFromFile = node.origin.filledFrom?.some((source) => source.includes("file ")) === true;
  return isFromFile ? true : shape?.secret;
}
