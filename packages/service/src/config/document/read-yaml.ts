import {
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { ConfigProblem } from "../config-problem.ts";
import type { ConfigNode, ConfigPath, MapEntry, MapNode } from "./config-node.ts";
import { pathText } from "./config-node.ts";
import { type Origin, placeOf } from "./origin.ts";
import { yamlFrame } from "./yaml-frame.ts";

/** Limit on aliases in a file: aliases of aliases multiply, which could exhaust the memory. */
const maxAliasCount = 50;
/** Limit on nesting. */
const maxDepth = 64;

export interface YamlFile {
  /** Undefined for an empty or invalid file. */
  readonly root: MapNode | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Parses the text of a file. `file` is its name in origins and problems. Reports all problems. */
export function readYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Duplicate keys are reported below, where both locations are known.
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    // This also makes a second document an error.
    logLevel: "error",
  });
  const originAt = (offset: number): Origin => {
    const { line, col } = lines.linePos(offset);
    return { kind: "file", file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problems: ConfigProblem[] = [...document.errors, ...document.warnings].map((error) => {
    const origin = originAt(error.pos[0]);
    return { origin, message: `not valid YAML: ${lowerFirst(error.message)}\n${yamlFrame(text, origin)}` };
  });
  if (problems.length > 0 || document.contents === null) return { root: undefined, problems };
  const reader = new NodeReader(originAt, problems);
  const root = reader.read(document.contents, []);
  if (root !== undefined && root.kind !== "map" && !(root.kind === "scalar" && root.value === null)) {
    problems.push({
      origin: root.origin,
      message: "invalid configuration: expected a map of keys, such as `service:`",
    });
  }
  return { root: root?.kind === "map" && problems.length === 0 ? root : undefined, problems };
}

/** Converts the YAML parser's nodes to nodes with origins. */
class NodeReader {
  readonly #originAt: (offset: number) => Origin;
  readonly #problems: ConfigProblem[];
  readonly #anchors = new Map<string, Node>();
  #aliasCount = 0;

  constructor(originAt: (offset: number) => Origin, problems: ConfigProblem[]) {
    this.#originAt = originAt;
    this.#problems = problems;
  }

  /** Converts a node; undefined for an invalid one, which is reported. */
  read(node: Node, path: ConfigPath): ConfigNode | undefined {
    const origin = this.#originAt(node.range?.[0] ?? 0);
    if (path.length > maxDepth)
      return this.#refuse(origin, `maps and lists are nested more than ${maxDepth} levels deep`);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined)
        return this.#refuse(origin, `unknown anchor &${node.source}: define it above this alias`);
      if (++this.#aliasCount > maxAliasCount) {
        if (this.#aliasCount > maxAliasCount + 1) return undefined;
        return this.#refuse(origin, `more than ${maxAliasCount} aliases`);
      }
      return this.read(target, path);
    }
    if (isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      return this.#scalar(node, origin);
    }
    const read = isMap(node) ? this.#map(node, path, origin) : this.#list(node as YAMLSeq<Node>, path, origin);
    // Set afterwards, so that a node cannot refer to itself.
    if ("anchor" in node && typeof node.anchor === "string") this.#anchors.set(node.anchor, node);
    return read;
  }

  #scalar(node: Scalar, origin: Origin): ConfigNode | undefined {
    const { value, source } = node;
    if (value === null || typeof value === "string") return { kind: "scalar", value, origin };
    if (typeof value !== "number" && typeof value !== "boolean") {
      return this.#refuse(origin, "unsupported type of value");
    }
    return { kind: "scalar", value, ...(source !== undefined && { text: source }), origin };
  }

  #list(node: YAMLSeq<Node>, path: ConfigPath, origin: Origin): ConfigNode {
    const items = node.items.map((item, index) => this.read(item, [...path, index]));
    return { kind: "list", items: items.filter((item) => item !== undefined), origin };
  }

  #map(node: YAMLMap, path: ConfigPath, origin: Origin): ConfigNode {
    const entries = new Map<string, MapEntry>();
    const merged = new Map<string, MapEntry>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) continue;
      const name = String(key.value ?? "");
      const keyOrigin = this.#originAt(key.range?.[0] ?? 0);
      const keyPath = [...path, name];
      if (name === "__proto__" || name === "") {
        this.#refuse(keyOrigin, name === "" ? "empty key" : "reserved key __proto__");
        continue;
      }
      if (name === "<<" && key.type === Scalar.PLAIN) {
        this.#mergeInto(merged, value as Node, path);
        continue;
      }
      const first = entries.get(name);
      if (first !== undefined) {
        this.#refuse(
          keyOrigin,
          `duplicate key ${pathText(keyPath)}, also at ${placeOf(first.keyOrigin)}; keep one of them`,
        );
        continue;
      }
      // A key without a value has no node.
      const child: ConfigNode | undefined =
        value === null ? { kind: "scalar", value: null, origin: keyOrigin } : this.read(value as Node, keyPath);
      if (child !== undefined) entries.set(name, { node: child, keyOrigin });
    }
    return { kind: "map", entries: new Map([...merged, ...entries]), origin };
  }

  /** Applies YAML's merge key, `<<: *defaults` or a list: keys of the map itself take precedence, then earlier items of the list. */
  #mergeInto(merged: Map<string, MapEntry>, value: Node, path: ConfigPath): void {
    const read = this.read(value, path);
    for (const source of read?.kind === "list" ? read.items : [read]) {
      if (source === undefined) continue;
      if (source.kind !== "map") this.#refuse(source.origin, "invalid <<: expected a map or a list of maps");
      else for (const [key, entry] of source.entries) if (!merged.has(key)) merged.set(key, entry);
    }
  }

  #refuse(origin: Origin, message: string): undefined {
    this.#problems.push({ origin, message });
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
