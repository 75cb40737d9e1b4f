import { readFileSync } from "node:fs";
import { nearestName } from "@tercel/grpc/internal";
import * as v from "valibot";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { hasErrorCode } from "../failure/to-failure.ts";
import { ConfigError } from "./config-error.ts";
import { type Config, configSchema } from "./config-schema.ts";

/** YAML may define a node once and use it often; a few levels of that make gigabytes of a few lines. */
const maxAliases = 50;

/**
 * Reads and checks a configuration file.
 *
 * @throws ConfigError with every problem and its place, `config.yaml:7:5: …`
 */
export function loadConfig(path: string): Config {
  return parseConfig(readConfig(path), path);
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT"))
      throw new ConfigError([`the config ${path} cannot be read: ${(error as Error).message}`]);
    throw new ConfigError([`there is no config at ${path}: run "wimguard server" once, or pass --dir`]);
  }
}

/** @throws ConfigError */
export function parseConfig(text: string, path: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const place = (offset: number | undefined): string => {
    if (offset === undefined) return path;
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map(({ message, pos }) => `${place(pos[0])}: ${message.split("\n")[0]}`));
  }
  const checked = v.safeParse(configSchema, document.toJS({ maxAliasCount: maxAliases }) ?? {});
  if (checked.success) return checked.output;
  throw new ConfigError(checked.issues.map((issue) => `${place(offsetOf(document, issue))}: ${describe(issue)}`));
}

type Issue = v.BaseIssue<unknown>;

/** Of the value that is wrong, of a key that is unknown, or of the nearest part above that is there. */
function offsetOf(document: Document, issue: Issue): number | undefined {
  const keys = issue.path?.map(({ key }) => key) ?? [];
  if (isUnknownKey(issue)) {
    const parent = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === keys.at(-1)) : undefined;
    if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
  }
  for (let length = keys.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return undefined;
}

function describe(issue: Issue): string {
  const keys = issue.path?.map(({ key }) => String(key)) ?? [];
  const name = keys.join(".");
  if (isUnknownKey(issue)) {
    const unknown = keys.at(-1) ?? "";
    const parent = keys.slice(0, -1).join(".");
    const nearest = nearestName(unknown, knownKeys(keys.slice(0, -1)));
    const where = parent === "" ? "" : ` in ${parent}`;
    return `unknown key "${unknown}"${where}${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`;
  }
  if (issue.received === "undefined") return `missing key "${name}"`;
  const isOwnText = issue.message.startsWith("must ");
  return `invalid ${name}: ${isOwnText ? issue.message : `expected ${issue.expected ?? "another value"}, not ${issue.received}`}`;
}

function isUnknownKey({ type, expected }: Issue): boolean {
  return type === "strict_object" && expected === "never";
}

interface ObjectSchema {
  readonly entries?: Readonly<Record<string, ObjectSchema>>;
  readonly wrapped?: ObjectSchema;
}

function knownKeys(path: readonly string[]): string[] {
  let schema: ObjectSchema | undefined = configSchema as ObjectSchema;
  for (const key of path) {
    schema = schema?.entries?.[key];
    if (schema?.wrapped !== undefined) schema = schema.wrapped;
  }
  return Object.keys(schema?.entries ?? {});
}
