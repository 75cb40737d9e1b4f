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

/** Aliases that a file may use. Aliases of aliases multiply: more of them are a mistake, or an attempt to fill the memory. */
const maxAliasCount = 50;
/** How deep maps and lists may lie in each other. */
const maxDepth = 64;

export interface YamlFile {
  /** Undefined for a file without content, and for one that is not valid. */
  readonly root: MapNode | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Reads a file's text. `file` is its name in origins and problems. All problems are reported, not only the first. */
export function readYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Repeated keys are found below, where both places are known.
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    // Also what makes a second document an error.
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
    problems.push({ origin: root.origin, message: "a configuration is a map of keys, such as `service:`" });
  }
  return { root: root?.kind === "map" && problems.length === 0 ? root : undefined, problems };
}

/** Makes nodes with origins from the nodes of the YAML parser. */
class NodeReader {
  readonly #originAt: (offset: number) => Origin;
  readonly #problems: ConfigProblem[];
  readonly #anchors = new Map<string, Node>();
  #aliasCount = 0;

  constructor(originAt: (offset: number) => Origin, problems: ConfigProblem[]) {
    this.#originAt = originAt;
    this.#problems = problems;
  }

  /** Undefined for what cannot be read, which is among the problems then. */
  read(node: Node, path: ConfigPath): ConfigNode | undefined {
    const origin = this.#originAt(node.range?.[0] ?? 0);
    if (path.length > maxDepth)
      return this.#refuse(origin, `maps and lists lie in each other more than ${maxDepth} deep`);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) return this.#refuse(origin, `there is no anchor &${node.source} above this alias`);
      if (++this.#aliasCount > maxAliasCount) {
        if (this.#aliasCount > maxAliasCount + 1) return undefined;
        return this.#refuse(origin, `more than ${maxAliasCount} aliases are used`);
      }
      return this.read(target, path);
    }
    if (isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      return this.#scalar(node, origin);
    }
    const read = isMap(node) ? this.#map(node, path, origin) : this.#list(node as YAMLSeq<Node>, path, origin);
    // Set afterwards, so that what contains itself has no anchor to refer to.
    if ("anchor" in node && typeof node.anchor === "string") this.#anchors.set(node.anchor, node);
    return read;
  }

  #scalar(node: Scalar, origin: Origin): ConfigNode | undefined {
    const { value, source } = node;
    if (value === null || typeof value === "string") return { kind: "scalar", value, origin };
    if (typeof value !== "number" && typeof value !== "boolean") {
      return this.#refuse(origin, "a value of this kind is not used in configurations");
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
        this.#refuse(keyOrigin, name === "" ? "a key is empty" : "a key must not be called __proto__");
        continue;
      }
      if (name === "<<" && key.type === Scalar.PLAIN) {
        this.#mergeInto(merged, value as Node, path);
        continue;
      }
      const first = entries.get(name);
      if (first !== undefined) {
        this.#refuse(keyOrigin, `${pathText(keyPath)} is also at ${placeOf(first.keyOrigin)}; keep one of them`);
        continue;
      }
      // A key without a value has no node of its own.
      const child: ConfigNode | undefined =
        value === null ? { kind: "scalar", value: null, origin: keyOrigin } : this.read(value as Node, keyPath);
      if (child !== undefined) entries.set(name, { node: child, keyOrigin });
    }
    return { kind: "map", entries: new Map([...merged, ...entries]), origin };
  }

  /** YAML's merge key, `<<: *defaults` or a list of such: what the map says itself wins, then the earlier of the list. */
  #mergeInto(merged: Map<string, MapEntry>, value: Node, path: ConfigPath): void {
    const read = this.read(value, path);
    for (const source of read?.kind === "list" ? read.items : [read]) {
      if (source === undefined) continue;
      if (source.kind !== "map") this.#refuse(source.origin, "<< takes a map, or a list of maps");
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
