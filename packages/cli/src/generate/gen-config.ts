import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Node, YAMLMap } from "yaml";
import { suggest } from "../frame/suggestion.ts";
import { type JsonText, jsonFailure, jsonText } from "../json/json-text.ts";
import { asMap, entriesOf, itemsOf, parseNodes, startOf, textOf, textsOf } from "../yaml/yaml-nodes.ts";

/** The contents of buf.gen.yaml: inputs, plugins and output folders. */
export interface GenConfig {
  /** Whether other files in the output folders are removed. */
  readonly clean: boolean;
  readonly inputs: readonly GenInput[];
  readonly plugins: readonly GenPlugin[];
}

export interface GenInput {
  /** Folder of .proto files; all paths are absolute. */
  readonly folder: string;
  readonly only: readonly string[];
  readonly excluded: readonly string[];
}

export interface GenPlugin {
  /** The program and its first arguments, as in `local`. */
  readonly program: readonly string[];
  readonly outFolder: string;
  /** Options; joined by commas they form the plugin's parameter. */
  readonly options: readonly string[];
}

/** The plugin for services of Tercel; Node runs its TypeScript output directly. */
const defaultPlugin = {
  program: ["protoc-gen-es"],
  options: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
} as const;

const knownKeys = ["version", "clean", "inputs", "plugins"];
const knownPluginKeys = ["local", "out", "opt", "strategy"];
const knownInputKeys = ["directory", "paths", "exclude_paths"];

/**
 * Reads the buf.gen.yaml of a folder. Without one, TypeScript is generated into `gen/`.
 *
 * @throws CommandFailure with the position of an invalid or unsupported key
 */
export function readGenConfig(folder: string): GenConfig {
  const file = join(folder, "buf.gen.yaml");
  const ownInput = { folder, only: [], excluded: [] };
  if (!existsSync(file)) {
    return { clean: true, inputs: [ownInput], plugins: [{ ...defaultPlugin, outFolder: join(folder, "gen") }] };
  }
  const text = jsonText("buf.gen.yaml", readFileSync(file, "utf8"));
  const root = asMap(parseNodes(text), text, "the file");
  const values = knownEntries(root, knownKeys, text);
  const version = values.get("version");
  if (textOf(version) !== "v2") {
    throw jsonFailure(
      text,
      startOf(version),
      `unsupported version ${JSON.stringify(textOf(version))}: expected v2; run buf config migrate`,
    );
  }
  const inputs = itemsOf(values.get("inputs")).map((node) => readInput(node, folder, text));
  const plugins = itemsOf(values.get("plugins")).map((node) => readPlugin(node, folder, text));
  if (plugins.length === 0) throw jsonFailure(text, startOf(root), "no plugins: add at least protoc-gen-es");
  return { clean: textOf(values.get("clean")) === "true", inputs: inputs.length === 0 ? [ownInput] : inputs, plugins };
}

function readInput(node: Node | null, folder: string, text: JsonText): GenInput {
  const values = knownEntries(asMap(node, text, "an input"), knownInputKeys, text);
  const absolute = (paths: Node | null | undefined): string[] => textsOf(paths).map((path) => resolve(folder, path));
  return {
    folder: resolve(folder, textOf(values.get("directory")) ?? "."),
    only: absolute(values.get("paths")),
    excluded: absolute(values.get("exclude_paths")),
  };
}

function readPlugin(node: Node | null, folder: string, text: JsonText): GenPlugin {
  const values = knownEntries(asMap(node, text, "a plugin"), knownPluginKeys, text);
  const program = textsOf(values.get("local"));
  const out = textOf(values.get("out"));
  if (program.length === 0) throw jsonFailure(text, startOf(node), "plugin without local, the name of its program");
  if (out === undefined) throw jsonFailure(text, startOf(node), "plugin without out, its output folder");
  return { program, outFolder: resolve(folder, out), options: textsOf(values.get("opt")) };
}

function knownEntries(map: YAMLMap, known: readonly string[], text: JsonText): ReadonlyMap<string, Node | null> {
  return entriesOf(map, known, text, (name, nearest) => {
    const hint = suggest(nearest) ?? "use buf generate, which supports it";
    return `tercel generate does not support ${JSON.stringify(name)}; ${hint}`;
  });
}
