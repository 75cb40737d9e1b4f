import type { Origin } from "./origin.ts";

/** A configuration as written, with the origin of each part. Nodes are immutable. */
export type ConfigNode = ScalarNode | ListNode | MapNode;

export type ScalarValue = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: "scalar";
  /** The value; `null` unsets a key of an earlier layer. */
  readonly value: ScalarValue;
  /** The text as written, if `value` is not a string but may be meant as one (`version: 1.10`). */
  readonly text?: string;
  /** Set when a placeholder could not be filled. That is reported already, so no further problem is. */
  readonly isUnfilled?: true;
  readonly origin: Origin;
  /** The path to show in messages, if it differs from the node's current one: `registry.address`. */
  readonly writtenAs?: string;
}

export interface ListNode {
  readonly kind: "list";
  readonly items: readonly ConfigNode[];
  readonly origin: Origin;
  readonly writtenAs?: string;
}

export interface MapNode {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly origin: Origin;
  readonly writtenAs?: string;
}

export interface MapEntry {
  readonly node: ConfigNode;
  readonly keyOrigin: Origin;
}

/** Path of a node: keys and list indexes. */
export type ConfigPath = readonly (string | number)[];

/** Formats a path: `dependencies[0].version`. */
export function pathText(path: ConfigPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

export function childOf(node: ConfigNode | undefined, step: string | number): ConfigNode | undefined {
  if (node?.kind === "list") return node.items[Number(step)];
  return node?.kind === "map" ? node.entries.get(String(step))?.node : undefined;
}

export function nodeAt(root: ConfigNode | undefined, path: ConfigPath): ConfigNode | undefined {
  return path.reduce<ConfigNode | undefined>((node, step) => childOf(node, step), root);
}

/** Returns the map entry at a path; undefined if there is none, and in lists. */
export function entryAt(root: ConfigNode, path: ConfigPath): MapEntry | undefined {
  const parent = nodeAt(root, path.slice(0, -1));
  return parent?.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined;
}

export function isUnset(node: ConfigNode | undefined): boolean {
  return node === undefined || (node.kind === "scalar" && node.value === null);
}

/** Converts a node to a plain value, without unset keys. `readScalar` converts scalars. */
export function toPlain(node: ConfigNode, readScalar: (node: ScalarNode) => unknown = ({ value }) => value): unknown {
  if (node.kind === "scalar") return readScalar(node);
  if (node.kind === "list") return node.items.map((item) => toPlain(item, readScalar));
  const plain: Record<string, unknown> = {};
  for (const [key, { node: child }] of node.entries) {
    if (isUnset(child)) continue;
    const value = toPlain(child, readScalar);
    // By assignment a key called __proto__ would change the prototype.
    if (key === "__proto__") Object.defineProperty(plain, key, { value, enumerable: true });
    else plain[key] = value;
  }
  return plain;
}

/** Returns a map with one entry replaced, or removed if `node` is undefined. */
export function withEntry(map: MapNode, key: string, node: ConfigNode | undefined, keyOrigin?: Origin): MapNode {
  const entries = new Map(map.entries);
  if (node === undefined) entries.delete(key);
  else entries.set(key, { node, keyOrigin: keyOrigin ?? map.entries.get(key)?.keyOrigin ?? node.origin });
  return { ...map, entries };
}
