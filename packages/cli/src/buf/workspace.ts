import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { neededShippedProtos } from "./proto-imports.ts";
import type { ShippedProto } from "./shipped-protos.ts";

/** Folders of .proto files that are compiled together, as buf.yaml names them. */
export interface Workspace {
  /** Holds buf.yaml, or would. */
  readonly folder: string;
  /** The folders that imports are looked for in, absolute. */
  readonly moduleFolders: readonly string[];
  /** What is in buf.yaml; version 2. */
  readonly config: BufConfig;
}

export interface BufConfig {
  readonly version: "v2";
  readonly modules: readonly BufModule[];
  readonly [key: string]: unknown;
}

interface BufModule {
  readonly path?: string;
  readonly [key: string]: unknown;
}

/** A folder that buf is run on, until it is removed. */
export interface PreparedInput {
  readonly folder: string;
  /** What to put before a path of the workspace to name it there. */
  readonly prefix: string;
  readonly shipped: readonly ShippedProto[];
  dispose(): void;
}

/** The folder in a prepared input that stands for the workspace, and the one with the shipped files. */
const projectLink = "project";
const shippedFolder = "tercel-shipped";

/**
 * The workspace that a folder belongs to: the nearest buf.yaml on the way up, and without one the folder itself.
 *
 * @throws CommandFailure when buf.yaml cannot be read
 */
export function openWorkspace(folder: string): Workspace {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, "buf.yaml");
    if (existsSync(file)) return readWorkspace(at, file);
    if (dirname(at) === at) break;
  }
  return { folder, moduleFolders: [folder], config: { version: "v2", modules: [{ path: "." }] } };
}

function readWorkspace(folder: string, file: string): Workspace {
  let config: Partial<BufConfig> | null;
  try {
    config = parse(readFileSync(file, "utf8")) as Partial<BufConfig> | null;
  } catch (error) {
    throw new CommandFailure(exitCodes.invalidInput, `${file}: ${(error as Error).message.split("\n")[0]}`);
  }
  if (config?.version !== "v2") {
    throw new CommandFailure(
      exitCodes.invalidInput,
      `${file} has the version ${JSON.stringify(config?.version ?? null)}; v2 is needed`,
      {
        hint: "buf config migrate writes it",
      },
    );
  }
  const modules = config.modules ?? [{ path: "." }];
  return {
    folder,
    moduleFolders: modules.map(({ path }) => resolve(folder, path ?? ".")),
    config: { ...config, version: "v2", modules },
  };
}

/**
 * Makes a workspace ready for buf. Where it imports files that come with Tercel and does not have them, buf is given a folder that
 * holds both, because a workspace cannot name files outside of it.
 *
 * @param only absolute paths of the files that are compiled; everything without
 */
export function prepareInput(workspace: Workspace, only: readonly string[] = []): PreparedInput {
  const shipped = neededShippedProtos(workspace.moduleFolders, only);
  if (shipped.length === 0 && existsSync(join(workspace.folder, "buf.yaml"))) {
    return { folder: workspace.folder, prefix: workspace.folder, shipped, dispose() {} };
  }
  const folder = mkdtempSync(join(tmpdir(), "tercel-buf-"));
  try {
    symlinkSync(workspace.folder, join(folder, projectLink), "dir");
    for (const { name, path } of shipped) {
      mkdirSync(dirname(join(folder, shippedFolder, name)), { recursive: true });
      cpSync(path, join(folder, shippedFolder, name));
    }
    writeFileSync(join(folder, "buf.yaml"), stringify(combinedConfig(workspace.config, shipped.length > 0)));
    const lock = join(workspace.folder, "buf.lock");
    if (existsSync(lock)) cpSync(lock, join(folder, "buf.lock"));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    folder,
    prefix: join(folder, projectLink),
    shipped,
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** buf.yaml with its paths below the link to the project, and with a module of the shipped files, which no one lints. */
function combinedConfig(config: BufConfig, hasShipped: boolean): Record<string, unknown> {
  const own = config.modules.map((module) =>
    withRules({ ...module, path: below(module.path ?? "."), ...pathLists(module) }),
  );
  const ignored = { ignore: [shippedFolder] };
  const shipped = hasShipped ? [{ path: shippedFolder, lint: ignored, breaking: ignored }] : [];
  return { ...withRules(config), modules: [...own, ...shipped] };
}

function pathLists(module: BufModule): Record<string, string[]> {
  const lists: Record<string, string[]> = {};
  for (const key of ["includes", "excludes"]) {
    if (Array.isArray(module[key])) lists[key] = module[key].map((path) => below(String(path)));
  }
  return lists;
}

/** The paths in `lint` and `breaking`. */
function withRules(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const moved: Record<string, unknown> = { ...config };
  for (const key of ["lint", "breaking"]) {
    const rules = config[key] as { ignore?: string[]; ignore_only?: Record<string, string[]> } | null | undefined;
    if (rules == null) continue;
    const only = Object.entries(rules.ignore_only ?? {}).map(([rule, paths]) => [rule, paths.map(below)]);
    moved[key] = {
      ...rules,
      ...(rules.ignore !== undefined && { ignore: rules.ignore.map(below) }),
      ...(rules.ignore_only !== undefined && { ignore_only: Object.fromEntries(only) }),
    };
  }
  return moved;
}

function below(path: string): string {
  return join(projectLink, path).replaceAll("\\", "/");
}

/** A path that buf reports, as a person in `cwd` would write it. */
export function reportedPath(path: string, input: PreparedInput, workspace: Workspace, cwd: string): string {
  const absolute = resolve(workspace.folder, path);
  const inShipped = relative(join(input.folder, shippedFolder), absolute);
  if (!inShipped.startsWith("..")) return inShipped;
  const inProject = join(workspace.folder, relative(input.prefix, absolute));
  return relative(realPath(cwd), realPath(inProject)) || path;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
