import { type ConfigNode, isUnset, type MapEntry, type MapNode } from "./config-node.ts";

/** Lists that merge item by item: the path of the list and the key that identifies an item, such as `dependencies` and `name`. */
export type MergedLists = ReadonlyMap<string, string>;

export const noMergedLists: MergedLists = new Map();

/**
 * Merges `later` over `earlier`: maps merge, other values replace. A list in `mergedLists` merges by its key: items with the same value merge, new
 * items are appended.
 */
export function mergeNodes(
  earlier: MapNode,
  later: MapNode,
  mergedLists: MergedLists = noMergedLists,
  path = "",
): MapNode {
  const entries = new Map<string, MapEntry>(earlier.entries);
  for (const [key, entry] of later.entries) {
    const before = entries.get(key);
    const childPath = path === "" ? key : `${path}.${key}`;
    entries.set(key, before === undefined ? entry : mergeEntry(before, entry, childPath, mergedLists));
  }
  return { kind: "map", entries, origin: earlier.origin };
}

function mergeEntry(before: MapEntry, after: MapEntry, path: string, mergedLists: MergedLists): MapEntry {
  const [a, b] = [before.node, after.node];
  if (a.kind === "map" && b.kind === "map") {
    return { node: mergeNodes(a, b, mergedLists, path), keyOrigin: before.keyOrigin };
  }
  const nameKey = mergedLists.get(path);
  if (nameKey !== undefined && a.kind === "list" && b.kind === "list") {
    const items = mergeItems(a.items, b.items, nameKey);
    return { node: { kind: "list", items, origin: a.origin }, keyOrigin: before.keyOrigin };
  }
  return after;
}

function mergeItems(earlier: readonly ConfigNode[], later: readonly ConfigNode[], nameKey: string): ConfigNode[] {
  const items = [...earlier];
  for (const item of later) {
    const name = itemName(item, nameKey);
    const index = name === undefined ? -1 : items.findIndex((other) => itemName(other, nameKey) === name);
    const before = items[index];
    if (before?.kind === "map" && item.kind === "map") items[index] = mergeNodes(before, item);
    else items.push(item);
  }
  return items;
}

/** Returns the value that identifies an item of a list; undefined if it has none. */
export function itemName(item: ConfigNode, nameKey: string): string | undefined {
  const name = item.kind === "map" ? item.entries.get(nameKey)?.node : undefined;
  return name?.kind === "scalar" && !isUnset(name) ? String(name.value) : undefined;
}
