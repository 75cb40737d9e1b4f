import type { Origin } from "./origin.ts";

/** A configuration as it was written, with the origin of each of its parts. Nodes do not change once they are made. */
export type ConfigNode = ScalarNode | ListNode | MapNode;

export type ScalarValue = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: "scalar";
  /** `null` means that the key is not set: a layer takes back what an earlier one says. */
  readonly value: ScalarValue;
  /** Where `value` is no text but could be meant as one (`version: 1.10`): the text as it was written. */
  readonly text?: string;
  /** A placeholder of the value could not be filled, which is a problem already: nothing more is said about it. */
  readonly isUnfilled?: true;
  readonly origin: Origin;
  /** The path that messages show, where it differs from where the node is now: `registry.address`. */
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

/** The keys, and the indexes of lists, that lead to a node. */
export type ConfigPath = readonly (string | number)[];

/** `dependencies[0].version` */
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

/** The map entry at a path; undefined where there is none, and in lists. */
export function entryAt(root: ConfigNode, path: ConfigPath): MapEntry | undefined {
  const parent = nodeAt(root, path.slice(0, -1));
  return parent?.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined;
}

export function isUnset(node: ConfigNode | undefined): boolean {
  return node === undefined || (node.kind === "scalar" && node.value === null);
}

/** The value without origins; keys that are not set are left out. `readScalar` decides how a scalar is read. */
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

/** The map with one entry replaced, or removed where `node` is undefined. */
export function withEntry(map: MapNode, key: string, node: ConfigNode | undefined, keyOrigin?: Origin): MapNode {
  const entries = new Map(map.entries);
  if (node === undefined) entries.delete(key);
  else entries.set(key, { node, keyOrigin: keyOrigin ?? map.entries.get(key)?.keyOrigin ?? node.origin });
  return { ...map, entries };
}
