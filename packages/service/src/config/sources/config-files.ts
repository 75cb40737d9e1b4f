import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { thrownMessage } from "@tercel/grpc/internal";
import type { ConfigProblem } from "../config-problem.ts";
import type { MapNode } from "../document/config-node.ts";
import { readPlainYaml } from "../document/read-plain-yaml.ts";
import type { YamlFile } from "../document/read-yaml.ts";

/** The files of a configuration and their contents. */
export interface ReadFiles {
  /** Roots in the order of precedence, lowest first. */
  readonly roots: readonly MapNode[];
  readonly problems: readonly ConfigProblem[];
  /** Their names in messages, in the order of reading. */
  readonly names: readonly string[];
  /** Absolute paths of all candidate files: a reload also watches absent ones. */
  readonly candidates: readonly string[];
}

const baseNames = ["config.yaml", join("config", "default.yaml")];

/**
 * Reads the base file: the named one, else `config.yaml` or `config/default.yaml`, if one exists. Having both is a problem, because the precedence
 * would be unclear.
 */
export async function readBaseFile(folder: string, file: string | false | undefined): Promise<ReadFiles> {
  if (file === false) return { roots: [], problems: [], names: [], candidates: [] };
  if (file !== undefined) return readFiles(folder, [file], true);
  const present = baseNames.filter((name) => existsSync(join(folder, name)));
  const problems = [...misnamed(folder, baseNames)];
  if (present.length > 1) problems.push({ message: `both ${present.join(" and ")} exist; keep one of them` });
  const read = await readFiles(folder, present.slice(0, 1), true);
  const candidates = baseNames.map((name) => resolve(folder, name));
  return { ...read, problems: [...problems, ...read.problems], candidates };
}

/** Reads the overlays that exist: `<overlays>/<environment>.yaml`, then, outside of production, `<overlays>/local.yaml`. */
export async function readOverlays(
  folder: string,
  overlays: string,
  environment: { readonly name: string; readonly isProduction: boolean },
): Promise<ReadFiles> {
  const names = [`${environment.name}.yaml`, ...(environment.isProduction ? [] : ["local.yaml"])];
  const files = [...new Set(names)].filter((name) => name !== "default.yaml").map((name) => join(overlays, name));
  const read = await readFiles(folder, files, false);
  return { ...read, problems: [...misnamed(folder, files), ...read.problems] };
}

/** Reports files that end with `.yml`, which would be ignored silently. */
function misnamed(folder: string, files: readonly string[]): ConfigProblem[] {
  return files.flatMap((file) => {
    const other = file.replace(/\.yaml$/, ".yml");
    return existsSync(resolve(folder, other)) ? [{ message: `${other} is ignored; rename it to ${file}` }] : [];
  });
}

async function readFiles(folder: string, files: readonly string[], isRequired: boolean): Promise<ReadFiles> {
  const roots: MapNode[] = [];
  const problems: ConfigProblem[] = [];
  const names: string[] = [];
  for (const file of files) {
    const path = resolve(folder, file);
    const name = shownName(folder, path);
    try {
      const read = await readAnyYaml(readTextFile(path), name);
      names.push(name);
      problems.push(...read.problems);
      if (read.root !== undefined) roots.push(read.root);
    } catch (error) {
      const isAbsent =
        error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
      if (isAbsent && !isRequired) continue;
      problems.push({ message: `cannot read ${name}: ${isAbsent ? "no such file" : thrownMessage(error)}` });
    }
  }
  return { roots, problems, names, candidates: files.map((file) => resolve(folder, file)) };
}

async function readAnyYaml(text: string, name: string): Promise<YamlFile> {
  const root = readPlainYaml(text, name);
  if (root !== undefined) return { root, problems: [] };
  const { readYaml } = await import("../document/read-yaml.ts");
  return readYaml(text, name);
}

/** @throws Error of the system, TypeError for a file that is not UTF-8 */
export function readTextFile(path: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
}

/** Returns the path of a file relative to the folder, unless it is outside. */
function shownName(folder: string, path: string): string {
  const name = relative(folder, path);
  return name.startsWith("..") || isAbsolute(name) ? path : name;
}
