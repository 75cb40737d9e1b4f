import type { JsonValue } from "@bufbuild/protobuf";
import { maxDepth } from "./wire/skip-field.ts";

/** Pretty printers write no blank here, and without one each member of an object has `":` in the text. */
const blankBeforeColon = /[ \t\n\r]:/;
const memberMark = '":';

/**
 * The value of a text of JSON in which no object has a key twice; undefined where one may, and for what is not JSON. `JSON.parse` keeps the last of
 * repeated keys, so that a text with as many members as its value has keys repeats none: to count both takes a part of the time that looking at each
 * character does.
 */
export function parseDistinctJson(text: string): JsonValue | undefined {
  if (blankBeforeColon.test(text)) return undefined;
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  // Marks within strings make more of them than there are members, and no text has more keys than members.
  return countMarks(text) === countKeys(value, 1) ? value : undefined;
}

function countMarks(text: string): number {
  let count = 0;
  for (let at = text.indexOf(memberMark); at !== -1; at = text.indexOf(memberMark, at + memberMark.length)) count++;
  return count;
}

/** NaN for what is nested too deep to be a message. */
function countKeys(value: JsonValue, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth > maxDepth) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item, depth + 1);
    return count;
  }
  const keys = Object.keys(value);
  for (const key of keys) count += countKeys(value[key] as JsonValue, depth + 1);
  return count + keys.length;
}
