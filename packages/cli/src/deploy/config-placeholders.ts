import { isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";

/** A variable that a configuration reads, and the keys that use it. */
export interface Placeholder {
  readonly name: string;
  /** The keys whose values contain it, as `tercel config show` writes them: `discovery.providers.etcd.endpoints[0]`. */
  readonly paths: readonly string[];
}

/**
 * Returns the variables that must be set: those in the values of YAML texts, where later texts override earlier ones. Variables with a
 * default and those below `enabled: false` are not required.
 */
export function requiredPlaceholders(texts: readonly string[]): readonly Placeholder[] {
  const values = new Map<string, unknown>();
  for (const text of texts) {
    const own = new Map<string, unknown>();
    flatten(parseDocument(text).contents, "", own);
    for (const [path, value] of own) {
      // A later list replaces an earlier one as a whole.
      const list = /^([^[]*)\[\d+\]/.exec(path)?.[1];
      if (list !== undefined)
        for (const known of values.keys()) if (known.startsWith(`${list}[`) && !own.has(known)) values.delete(known);
      values.set(path, value);
    }
  }
  const found = new Map<string, string[]>();
  for (const [path, value] of values) {
    if (typeof value !== "string" || isDisabled(path, values)) continue;
    for (const name of namesIn(value)) found.set(name, [...(found.get(name) ?? []), path]);
  }
  return [...found].map(([name, paths]) => ({ name, paths }));
}

function flatten(node: unknown, path: string, into: Map<string, unknown>): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) flatten(value, path === "" ? String(key) : `${path}.${String(key)}`, into);
  } else if (isSeq(node)) {
    for (const [index, item] of (node.items as (Node | null)[]).entries()) flatten(item, `${path}[${index}]`, into);
  } else {
    into.set(path, isScalar(node) ? node.value : undefined);
  }
}

function isDisabled(path: string, values: ReadonlyMap<string, unknown>): boolean {
  for (let at = path.lastIndexOf("."); at > 0; at = path.lastIndexOf(".", at - 1)) {
    if (values.get(`${path.slice(0, at)}.enabled`) === false) return true;
  }
  return false;
}

/** Returns the names in `${NAME}`, but not in `${NAME:-default}`, `${file:/path}` or `$${NAME}`. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].flatMap(([written, name = ""]) =>
    written.startsWith("$$") ? [] : [name],
  );
}
