import { isDeepStrictEqual } from "node:util";
import type { MergeLabels, MergeResult } from "./merge-result.ts";
import { mergeWithoutBase, type TextVersions } from "./merge-texts.ts";
import { newerRange } from "./newer-range.ts";

/** A JSON value; undefined for a missing key. */
type Value = unknown;
type JsonMap = Readonly<Record<string, Value>>;
type Side = "mine" | "theirs";

/**
 * Merges three versions of a package.json by keys instead of lines: a package that the user added next to one of the template's is not a
 * conflict. Keeps the order of `mine`.
 *
 * @returns undefined if a version is not JSON
 */
export function mergeManifests(versions: TextVersions, labels: MergeLabels): MergeResult | undefined {
  const parsed = parseAll(versions);
  if (parsed === undefined) return undefined;
  const { base, mine, theirs } = parsed;
  const indent = /^\{\r?\n([ \t]+)/.exec(versions.mine)?.[1] ?? "  ";
  const textFor = (side: Side): string =>
    `${JSON.stringify(mergeValues(base, mine, theirs, side), undefined, indent)}\n`;
  // Both are equal unless there is a conflict.
  return mergeWithoutBase(textFor("mine"), textFor("theirs"), labels);
}

function parseAll({ base, mine, theirs }: TextVersions): Readonly<Record<keyof TextVersions, Value>> | undefined {
  try {
    return { base: JSON.parse(base), mine: JSON.parse(mine), theirs: JSON.parse(theirs) };
  } catch {
    return undefined;
  }
}

/** Merges values. @param preferred the side to take where both changed the same value */
function mergeValues(base: Value, mine: Value, theirs: Value, preferred: Side): Value {
  if (isDeepStrictEqual(mine, theirs) || isDeepStrictEqual(base, theirs)) return mine;
  if (isDeepStrictEqual(base, mine)) return theirs;
  if (isMap(mine) && isMap(theirs)) return mergeMaps(isMap(base) ? base : {}, mine, theirs, preferred);
  return newerRange(mine, theirs) ?? (preferred === "mine" ? mine : theirs);
}

function mergeMaps(base: JsonMap, mine: JsonMap, theirs: JsonMap, preferred: Side): JsonMap {
  const entries = orderedKeys(Object.keys(mine), Object.keys(theirs)).flatMap((key) => {
    const value = mergeValues(own(base, key), own(mine, key), own(theirs, key), preferred);
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

/** Returns the keys of `mine`, and each additional key of `theirs` after its predecessor there; in a sorted map, in order. */
function orderedKeys(mine: readonly string[], theirs: readonly string[]): string[] {
  const keys = [...mine];
  for (const [at, key] of theirs.entries()) {
    if (keys.includes(key)) continue;
    keys.splice(keys.indexOf(theirs[at - 1] ?? "") + 1, 0, key);
  }
  const sorted = mine.toSorted();
  return mine.length > 1 && isDeepStrictEqual(mine, sorted) ? keys.sort() : keys;
}

function own(map: JsonMap, key: string): Value {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function isMap(value: Value): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
