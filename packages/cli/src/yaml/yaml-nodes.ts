import { nearestName } from "@tercel/grpc/internal";
import { isMap, isScalar, isSeq, type Node, parseDocument, type YAMLMap } from "yaml";
import { type JsonText, jsonFailure } from "../json/json-text.ts";

/** Parses a file that people write. @throws CommandFailure with the position of the first error */
export function parseNodes(text: JsonText): Node | null {
  const document = parseDocument(text.text);
  const [error] = document.errors;
  if (error !== undefined) throw jsonFailure(text, error.pos[0], error.message.split(" at line")[0] ?? error.message);
  return document.contents;
}

/** @throws CommandFailure for what is not a map */
export function asMap(node: unknown, text: JsonText, what: string): YAMLMap {
  if (isMap(node)) return node;
  throw jsonFailure(text, startOf(node as Node | null), `invalid ${what}: expected a map`);
}

/**
 * Returns the values of a map by key.
 *
 * @param describe the message for an unknown key
 * @throws CommandFailure for an unknown key
 */
export function entriesOf(
  map: YAMLMap,
  known: readonly string[],
  text: JsonText,
  describe: (name: string, nearest: string | undefined) => string,
): ReadonlyMap<string, Node | null> {
  const entries = new Map<string, Node | null>();
  for (const { key, value } of map.items) {
    const name = textOf(key as Node) ?? "";
    if (!known.includes(name)) throw jsonFailure(text, startOf(key as Node), describe(name, nearestName(name, known)));
    entries.set(name, value as Node | null);
  }
  return entries;
}

export function itemsOf(node: Node | null | undefined): (Node | null)[] {
  return isSeq(node) ? (node.items as (Node | null)[]) : [];
}

export function textOf(node: Node | null | undefined): string | undefined {
  return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}

/** Reads a string or a list of strings. */
export function textsOf(node: Node | null | undefined): string[] {
  const one = textOf(node);
  return one !== undefined ? [one] : itemsOf(node).flatMap((item) => textOf(item) ?? []);
}

export function startOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0;
}
