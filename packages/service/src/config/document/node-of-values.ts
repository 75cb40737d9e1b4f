import type { ConfigNode, MapNode } from "./config-node.ts";
import type { Origin } from "./origin.ts";

const origin: Origin = { kind: "code" };

/**
 * Converts keys and values from code to a node, as if they were in a file. Rejects values that YAML cannot represent.
 *
 * @throws TypeError that names the key
 */
export function nodeOfValues(values: object): MapNode {
  return mapOf(values, "");
}

function mapOf(values: object, path: string): MapNode {
  const entries = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        [key, { node: nodeOf(value, path === "" ? key : `${path}.${key}`), keyOrigin: origin }] as const,
    );
  return { kind: "map", entries: new Map(entries), origin };
}

function nodeOf(value: unknown, path: string): ConfigNode {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", value, origin };
  }
  if (Array.isArray(value)) {
    return { kind: "list", items: value.map((item, at) => nodeOf(item, `${path}[${at}]`)), origin };
  }
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) return mapOf(value, path);
  throw new TypeError(
    `${path} is ${typeof value === "object" ? "an object of a class" : `a ${typeof value}`}, which a configuration cannot contain`,
  );
}
