import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { nearestName } from "@tercel/grpc/internal";
import { isMap, isScalar, isSeq, type Node } from "yaml";
import { type JsonText, jsonFailure, jsonText } from "../../json/json-text.ts";
import { asMap, entriesOf, parseNodes, startOf, textOf } from "../../yaml/yaml-nodes.ts";
import { isBelow } from "../watch/is-below.ts";
import type { Build } from "./build.ts";

const fileName = "tercel.yaml";
const knownKeys = ["name", "entry", "command", "output", "watch", "shared", "restart"];
/** The keys of `tercel.yaml` that `tercel dev` reads. Others belong to `tercel new` and `tercel upgrade`. */
const devKeys = ["services", "builds"];

/**
 * Reads `builds` of the `tercel.yaml` files in some folders.
 *
 * @param root the folder from which errors name the files
 * @param services names of services, for `restart`
 * @throws CommandFailure with the position of what is invalid
 */
export function readBuilds(folders: readonly string[], root: string, services: readonly string[]): readonly Build[] {
  const names = new Set<string>();
  return [...new Set(folders)].flatMap((folder) => {
    const file = join(folder, fileName);
    if (!existsSync(file)) return [];
    const text = jsonText(relative(root, file), readFileSync(file, "utf8"));
    return itemsOf(buildsNode(text), text).map((node) => new BuildReader(text, folder, services).read(node, names));
  });
}

function buildsNode(text: JsonText): Node | null | undefined {
  const root = parseNodes(text);
  if (!isMap(root)) return undefined;
  for (const { key } of root.items) {
    const name = textOf(key as Node) ?? "";
    const nearest = devKeys.includes(name) ? undefined : nearestName(name, devKeys);
    if (nearest === undefined) continue;
    throw jsonFailure(text, startOf(key as Node), `unknown key ${name}; did you mean ${nearest}?`);
  }
  return root.get("builds", true) as Node | null | undefined;
}

function itemsOf(node: Node | null | undefined, text: JsonText): readonly (Node | null)[] {
  if (node === undefined || (isScalar(node) && node.value === null)) return [];
  if (isSeq(node)) return node.items as (Node | null)[];
  throw jsonFailure(text, startOf(node), "invalid builds: expected a list");
}

/** Reads one entry of the list. */
class BuildReader {
  readonly #text: JsonText;
  readonly #folder: string;
  readonly #services: readonly string[];

  constructor(text: JsonText, folder: string, services: readonly string[]) {
    this.#text = text;
    this.#folder = folder;
    this.#services = services;
  }

  /** @param names of the builds that were read before; the name of this one is added */
  read(node: Node | null, names: Set<string>): Build {
    const values = entriesOf(asMap(node, this.#text, "build"), knownKeys, this.#text, (name, nearest) => {
      const hint = nearest === undefined ? `known keys: ${knownKeys.join(", ")}` : `did you mean ${nearest}?`;
      return `unknown key ${JSON.stringify(name)} of a build; ${hint}`;
    });
    const name = textOf(values.get("name")) ?? this.#fail(node, "build without a name");
    if (names.has(name)) this.#fail(values.get("name"), `duplicate build ${name}`);
    names.add(name);
    const [entry, command] = [values.get("entry"), textOf(values.get("command"))];
    if ((entry === undefined) === (command === undefined)) {
      this.#fail(node, `build ${name} needs either entry, a file that Node runs, or command, a command line`);
    }
    const output =
      textOf(values.get("output")) ??
      this.#fail(node, `build ${name} without output, the file or folder that it writes`);
    const build: Build = {
      name,
      folder: this.#folder,
      program: command === undefined ? { entry: this.#existing(entry) } : { command },
      output: resolve(this.#folder, output),
      watch: this.#list(values.get("watch")).map((one) => this.#existing(one)),
      shared: this.#list(values.get("shared")).map((one) => resolve(this.#folder, this.#textOf(one))),
      restart: this.#list(values.get("restart")).map((one) => this.#service(one)),
    };
    if (build.watch.length === 0) {
      this.#fail(node, `build ${name} without watch, the files and folders that it reads`);
    }
    const hidden = [...build.watch, ...build.shared].find((path) => isBelow(path, build.output));
    if (hidden !== undefined) {
      const path = relative(this.#folder, hidden);
      this.#fail(values.get("output"), `build ${name} reads ${path}, which is in its output ${output}`);
    }
    return build;
  }

  /** A list, or its only item. */
  #list(node: Node | null | undefined): readonly (Node | null)[] {
    if (node === undefined) return [];
    return isSeq(node) ? (node.items as (Node | null)[]) : [node];
  }

  #textOf(node: Node | null | undefined): string {
    return textOf(node) ?? this.#fail(node, "expected a text, or a list of texts");
  }

  #existing(node: Node | null | undefined): string {
    const text = this.#textOf(node);
    const path = resolve(this.#folder, text);
    return existsSync(path) ? path : this.#fail(node, `${text} does not exist`);
  }

  #service(node: Node | null): string {
    const name = this.#textOf(node);
    if (this.#services.includes(name)) return name;
    const nearest = nearestName(name, this.#services);
    const hint = nearest === undefined ? `known services: ${this.#services.join(", ")}` : `did you mean ${nearest}?`;
    return this.#fail(node, `unknown service ${JSON.stringify(name)}; ${hint}`);
  }

  #fail(node: Node | null | undefined, message: string): never {
    throw jsonFailure(this.#text, startOf(node), message);
  }
}
