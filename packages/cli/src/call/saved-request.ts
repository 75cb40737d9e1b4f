import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, stringify } from "yaml";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { suggestNearest } from "../frame/suggestion.ts";
import { type JsonText, jsonFailure } from "../json/json-text.ts";
import type { JsonNode } from "../json/parse-json.ts";

/** A call saved in a file, to be repeated and committed with the code. */
export interface SavedRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers: readonly string[];
  readonly deadline?: string;
  /** The messages, and the text that their positions refer to. */
  readonly data?: { readonly nodes: readonly JsonNode[]; readonly text: JsonText };
}

const formatVersion = 1;
const knownKeys = ["version", "method", "target", "headers", "deadline", "data"];
/** Headers whose values are mostly secrets, which must not be committed. */
const secretHeader = /authorization|cookie|token|secret|password|api-?key/i;

/** Reads a saved request. @throws CommandFailure with the position of the first error */
export function readSavedRequest(file: string, cwd: string): SavedRequest {
  const source = readOptionFile("--from", file, cwd).toString("utf8");
  const text: JsonText = { text: source, source: file, line: 1, column: 1 };
  const document = parseDocument(source, { uniqueKeys: true, lineCounter: new LineCounter() });
  const [error] = document.errors;
  if (error !== undefined) throw jsonFailure(text, error.pos[0], error.message.split(" at line")[0] ?? error.message);
  const root = document.contents;
  if (!isMap(root)) throw jsonFailure(text, 0, "invalid saved request: expected a map with the keys method and data");

  const values = new Map<string, Node | null>();
  for (const { key, value } of root.items) {
    const name = isScalar(key) ? String(key.value) : "";
    if (!knownKeys.includes(name)) {
      const hint = suggestNearest(name, knownKeys, JSON.stringify) ?? `known are ${knownKeys.join(", ")}`;
      throw jsonFailure(text, startOf(key as Node), `unknown key ${JSON.stringify(name)}; ${hint}`);
    }
    values.set(name, value as Node | null);
  }
  const version = scalarText(values.get("version"));
  if (version !== undefined && version !== String(formatVersion)) {
    throw jsonFailure(
      text,
      startOf(values.get("version")),
      `unsupported version ${version}: expected ${formatVersion}`,
    );
  }
  const data = values.get("data");
  return {
    ...optional("method", scalarText(values.get("method"))),
    ...optional("target", scalarText(values.get("target"))),
    ...optional("deadline", scalarText(values.get("deadline"))),
    headers: headerLines(values.get("headers"), text),
    ...(data != null && { data: { nodes: messageNodes(data, document, text), text } }),
  };
}

/** Returns the text of a file for `--from`. Values of secret headers become variables. */
export function formatSavedRequest(request: {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly deadline: string | undefined;
  /** The message of a method that takes one, else a list of all. */
  readonly data: unknown;
}): string {
  const headers = Object.fromEntries(
    [...request.headers].map(([name, value]) => [
      name,
      secretHeader.test(name) ? `\${${name.toUpperCase().replaceAll("-", "_")}}` : value.replaceAll("${", "$${"),
    ]),
  );
  return stringify({
    version: formatVersion,
    method: request.method,
    target: request.target,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(request.deadline !== undefined && { deadline: request.deadline }),
    data: request.data,
  });
}

function optional<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };
}

function scalarText(node: Node | null | undefined): string | undefined {
  return isScalar(node) && node.value !== null ? String(node.value) : undefined;
}

function headerLines(node: Node | null | undefined, text: JsonText): string[] {
  if (node == null) return [];
  if (!isMap(node)) throw jsonFailure(text, startOf(node), "invalid headers: expected a map from names to values");
  return node.items.map(({ key, value }) => `${scalarText(key as Node) ?? ""}: ${scalarText(value as Node) ?? ""}`);
}

function messageNodes(data: Node, document: Document, text: JsonText): JsonNode[] {
  const nodes = isSeq(data) ? (data.items as Node[]) : [data];
  return nodes.map((node) => toJsonNode(node, document, text));
}

/** Converts a YAML value to JSON, with its positions. */
function toJsonNode(node: Node | null, document: Document, text: JsonText): JsonNode {
  if (node === null) return { kind: "scalar", at: 0, value: null };
  const at = startOf(node);
  if (isAlias(node)) return toJsonNode(node.resolve(document) ?? null, document, text);
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }) => ({
      key: scalarText(key as Node) ?? "",
      keyAt: startOf(key as Node),
      value: toJsonNode(value as Node | null, document, text),
    }));
    return { kind: "object", at, entries };
  }
  if (isSeq(node)) {
    return { kind: "array", at, items: node.items.map((item) => toJsonNode(item as Node | null, document, text)) };
  }
  const { value, source } = node as { value?: unknown; source?: string };
  if (typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? "")) {
    return { kind: "scalar", at, value: source ?? "" };
  }
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", at, value };
  }
  throw new CommandFailure(exitCodes.invalidInput, `${text.source}: data contains a value that JSON cannot represent`);
}

function startOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0;
}
