import { type Shape, shapeAtStep } from "../schema/schema-shape.ts";
import { type ConfigNode, type ConfigPath, isUnset, type MapNode, pathText, type ScalarValue } from "./config-node.ts";
import { maskValue } from "./mask.ts";
import { describeOrigin } from "./origin.ts";
import { keyOf, secrecyOf } from "./shown-value.ts";

/** One value of a configuration, with secrets masked. */
export interface ConfigEntry {
  /** `database.providers.postgresql.url` */
  readonly path: string;
  /** The value as written, before the schema transforms it. A secret is `•••`. */
  readonly value: ScalarValue;
  /** `config/production.yaml:12:7`, `variable TERCEL__SERVICE__PORT`, `config.yaml:3:8 (file /run/secrets/x)`, `default`. */
  readonly origin: string;
  /** Whether a change takes effect without a restart. */
  readonly isLive: boolean;
}

/** An entry with its unmasked value, to compare reloads. The value is never shown. */
export interface PlainEntry {
  readonly shown: ConfigEntry;
  readonly value: ScalarValue;
}

/** Lists all values, including defaults, in the order of the schema. */
export function listEntries(root: MapNode, shape: Shape): PlainEntry[] {
  const entries: PlainEntry[] = [];
  visit(root, shape, [], false);
  return entries;

  function visit(node: ConfigNode | undefined, at: Shape | undefined, path: ConfigPath, isLive: boolean): void {
    const live = isLive || at?.isLive === true;
    if (node === undefined || isUnset(node)) {
      addDefault(at, path, live);
      return;
    }
    if (node.kind === "list") {
      for (const [index, item] of node.items.entries()) visit(item, at?.item, [...path, index], live);
      return;
    }
    if (node.kind === "map") {
      for (const key of new Set([...(at?.entries.keys() ?? []), ...node.entries.keys()])) {
        visit(node.entries.get(key)?.node, shapeAtStep(at, key), [...path, key], live);
      }
      return;
    }
    const shown = maskValue(node.value, keyOf(path), secrecyOf(node, at));
    add({ path: pathText(path), value: shown, origin: describeOrigin(node.origin), isLive: live }, node.value);
  }

  function addDefault(at: Shape | undefined, path: ConfigPath, isLive: boolean): void {
    if (at?.kind === "map" && (at.isRequired || at.defaultValue !== undefined)) {
      for (const [key, child] of at.entries) visit(undefined, child, [...path, key], isLive);
    } else if (isScalar(at?.defaultValue)) {
      const shown = maskValue(at.defaultValue, keyOf(path), at.secret);
      add({ path: pathText(path), value: shown, origin: "default", isLive }, at.defaultValue);
    }
  }

  function add(shown: ConfigEntry, value: ScalarValue): void {
    entries.push({ shown, value });
  }
}

function isScalar(value: unknown): value is ScalarValue {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
