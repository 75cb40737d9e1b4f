import { thrownMessage } from "@tercel/grpc/internal";
import type { ConfigProblem } from "../config-problem.ts";
import {
  type ConfigNode,
  type ConfigPath,
  type MapEntry,
  type MapNode,
  pathText,
  type ScalarNode,
} from "../document/config-node.ts";
import { scalarFromText } from "../document/scalar-text.ts";
import { parsePlaceholders, type TextPart } from "./parse-placeholders.ts";

/** The sources of placeholder values. */
export interface PlaceholderSources {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Reads a file; throws when it cannot be read. */
  readFile(file: string): string;
}

/**
 * Fills the placeholders in values from files, after the layers are merged, so that an overridden value needs no variable. Filled values are not
 * scanned again, since a password may contain `${`.
 *
 * Inside a map with `enabled: false`, a placeholder without a value leaves its key unset.
 */
export function fillPlaceholders(
  root: MapNode,
  sources: PlaceholderSources,
): { readonly root: MapNode; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  return { root: fillMap(root, [], false), problems };

  function fill(node: ConfigNode, path: ConfigPath, isDisabled: boolean): ConfigNode {
    if (node.kind === "map") return fillMap(node, path, isDisabled);
    if (node.kind === "scalar") return fillScalar(node, path, isDisabled);
    const items = node.items.map((item, index) => fill(item, [...path, index], isDisabled));
    return items.some((item, index) => item !== node.items[index]) ? { ...node, items } : node;
  }

  function fillMap(node: MapNode, path: ConfigPath, isDisabled: boolean): MapNode {
    const changed = new Map<string, MapEntry>();
    const enabled = node.entries.get("enabled");
    // Filled first, because it decides about the others.
    const filledEnabled = enabled === undefined ? undefined : fill(enabled.node, [...path, "enabled"], isDisabled);
    const isOff = isDisabled || (filledEnabled?.kind === "scalar" && filledEnabled.value === false);
    for (const [key, entry] of node.entries) {
      const filled = entry === enabled && filledEnabled ? filledEnabled : fill(entry.node, [...path, key], isOff);
      if (filled !== entry.node) changed.set(key, { ...entry, node: filled });
    }
    // Most maps have no placeholders. Setting a key again keeps the order.
    return changed.size === 0 ? node : { ...node, entries: new Map([...node.entries, ...changed]) };
  }

  function fillScalar(node: ScalarNode, path: ConfigPath, isDisabled: boolean): ScalarNode {
    if (node.origin.kind !== "file" || typeof node.value !== "string" || !node.value.includes("$")) return node;
    const parsed = parsePlaceholders(node.value);
    if (parsed.parts === undefined) {
      problems.push({ origin: node.origin, message: `${pathText(path)}: ${parsed.problem}` });
      return { ...node, isUnfilled: true };
    }
    if (parsed.parts.every(({ kind }) => kind === "text")) return { ...node, value: joinText(parsed.parts) };
    const filledFrom: string[] = [];
    const missing: Reason[] = [];
    const text = fillParts(parsed.parts, sources, filledFrom, missing);
    if (missing.length > 0) {
      if (isDisabled) return { ...node, value: null };
      for (const reason of missing) problems.push({ origin: node.origin, message: reason(pathText(path)) });
      return { ...node, isUnfilled: true };
    }
    return scalarFromText(text, { ...node.origin, ...(filledFrom.length > 0 && { filledFrom }) });
  }
}

function joinText(parts: readonly TextPart[]): string {
  return parts.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

function fillParts(
  parts: readonly TextPart[],
  sources: PlaceholderSources,
  filledFrom: string[],
  missing: Reason[],
): string {
  let text = "";
  for (const part of parts) {
    const found = part.kind === "text" ? { text: part.text } : lookUp(part, sources);
    if (found.text !== undefined) {
      text += found.text;
      if (found.from !== undefined) filledFrom.push(found.from);
    } else if (part.kind !== "text" && part.fallback !== undefined && found.isAbsent) {
      text += fillParts(part.fallback, sources, filledFrom, missing);
    } else if (found.reason !== undefined) {
      missing.push(found.reason);
    }
  }
  return text;
}

/** Formats why a placeholder has no value, for the key at a path. */
type Reason = (path: string) => string;

interface Found {
  readonly text?: string;
  readonly from?: string;
  /** Whether the source is absent, so that the default applies. */
  readonly isAbsent?: boolean;
  readonly reason?: Reason;
}

function lookUp(part: Exclude<TextPart, { kind: "text" }>, { variables, readFile }: PlaceholderSources): Found {
  if (part.kind === "file") return fromFile(part.file, `file ${part.file}`, readFile);
  const { name, fallback } = part;
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  const file = variables[`${name}_FILE`];
  if (value !== undefined && file !== undefined && file !== "") {
    return { reason: (path) => `${name} and ${name}_FILE are both set (${path}); unset one of them` };
  }
  // As in a shell, `:-` also replaces an empty value.
  if (value !== undefined && !(value === "" && fallback !== undefined))
    return { text: value, from: `variable ${name}` };
  if (file !== undefined && file !== "") return fromFile(file, `variable ${name}_FILE, file ${file}`, readFile);
  const advice = `set it or ${name}_FILE, or write \${${name}:-…}`;
  return { isAbsent: true, reason: (path) => `${name} is not set (${path}); ${advice}` };
}

function fromFile(file: string, from: string, readFile: (file: string) => string): Found {
  try {
    // Editors and `echo` add a final newline, which is not part of a password.
    return { text: readFile(file).replace(/\r?\n$/, ""), from };
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    const cause = isAbsent ? "no such file" : thrownMessage(error);
    return { isAbsent, reason: (path) => `cannot read file ${file} (${path}): ${cause}` };
  }
}
