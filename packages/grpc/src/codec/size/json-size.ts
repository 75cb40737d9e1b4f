import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { maxDepth } from "../wire/skip-field.ts";
import { memoryPerByte, overBudget } from "./memory-budget.ts";
import { costOfMessage, type FieldCost, type MessageCost, memoryCosts } from "./memory-costs.ts";

/** Shorter messages are not estimated, as in protobuf. */
const minEstimatedBytes = 4096;
/** What JSON.parse makes of `{}` or `[]`, with its place in a list. */
const parsedObject = 64;
/** An ArrayBuffer of its own, where protobuf has a view of the input. */
const ownBuffer = 104;
/** A google.protobuf.Value in a list. */
const value = 92;

/** Types that represent any JSON. */
const anyJson = new Set(["Any", "ListValue", "Struct", "Value"].map((name) => `google.protobuf.${name}`));

/**
 * Counts what the JSON text of a message would become in memory: first the objects that JSON.parse makes of it, then the message.
 * What is not such a message is left to protobuf-es, which says what is wrong with it.
 *
 * @throws overBudget for more than `maxDecodedBytes`, and more than 16 times the bytes of the text
 */
export function checkJsonSize(schema: DescMessage, text: string, textBytes: number, maxDecodedBytes: number): void {
  if (textBytes < minEstimatedBytes) return;
  const cost = costOfMessage(schema);
  const maxBytes = Math.max(maxDecodedBytes, memoryPerByte * textBytes);
  if (textBytes * (cost.highestPerByte + parsedObject + ownBuffer) <= maxBytes) return;
  if (countObjects(text) * parsedObject > maxBytes) throw overBudget;
  let json: JsonValue;
  try {
    json = JSON.parse(text);
  } catch {
    return;
  }
  new JsonEstimate(maxBytes).addMessage(cost, json, 1);
}

/** How many `{` and `[` there are outside of strings. */
function countObjects(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) count++;
    else if (code === 0x22) at = endOfString(text, at);
  }
  return count;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at;
  }
  return text.length;
}

class JsonEstimate {
  #left: number;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  addMessage(message: MessageCost, json: JsonValue, depth: number): void {
    if (anyJson.has(message.typeName)) {
      this.#addAnyJson(json, depth);
      return;
    }
    if (depth > maxDepth || json === null || typeof json !== "object" || Array.isArray(json)) return;
    for (const name of Object.keys(json)) {
      const field = message.fieldsByName.get(name);
      if (field !== undefined) this.#addField(field, json[name] as JsonValue, depth);
    }
  }

  #addField(field: FieldCost, json: JsonValue, depth: number): void {
    if (field.kind === "map") {
      for (const entry of itemsOf(json)) {
        this.#spend(field.bytes);
        this.#addValue(field.value as FieldCost, entry, depth);
      }
    } else if (Array.isArray(json)) {
      for (const item of json) this.#addValue(field, item, depth);
    } else {
      this.#addValue(field, json, depth);
    }
  }

  #addValue(field: FieldCost, json: JsonValue, depth: number): void {
    this.#spend(field.kind === "bytes" ? field.bytes + ownBuffer : field.bytes);
    if (field.message !== undefined) this.addMessage(field.message, json, depth + 1);
  }

  #addAnyJson(json: JsonValue, depth: number): void {
    this.#spend(value);
    if (depth > maxDepth) return;
    const isObject = !Array.isArray(json);
    for (const item of itemsOf(json)) {
      if (isObject) this.#spend(memoryCosts.mapEntry);
      this.#addAnyJson(item, depth + 1);
    }
  }

  #spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw overBudget;
  }
}

function itemsOf(json: JsonValue): readonly JsonValue[] {
  if (json === null || typeof json !== "object") return [];
  return Array.isArray(json) ? json : Object.values(json);
}
