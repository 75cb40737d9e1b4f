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
  /** The folder of buf.yaml, if there is one. */
  readonly folder: string;
  /** Folders in which imports are resolved; absolute. */
  readonly moduleFolders: readonly string[];
  /** Contents of buf.yaml, version 2. */
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

/** A temporary folder that buf runs on. */
export interface PreparedInput {
  readonly folder: string;
  /** Prefix of the workspace's paths in that folder. */
  readonly prefix: string;
  readonly shipped: readonly ShippedProto[];
  dispose(): void;
}

/** The links in a prepared input to the workspace and to the shipped files. */
const projectLink = "project";
const shippedFolder = "tercel-shipped";

/**
 * Opens the workspace of a folder: that of the nearest buf.yaml in it or above it, else the folder itself.
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
      `${file}: unsupported version ${JSON.stringify(config?.version ?? null)}: expected v2`,
      {
        hint: "run buf config migrate",
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
 * Prepares a workspace for buf. If it imports shipped files that it does not contain, buf runs on a temporary folder with both, because a
 * workspace cannot name files outside of it.
 *
 * @param only absolute paths of the files to compile. Default: all files
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

/** Returns buf.yaml with its paths below the link to the project, and a module of the shipped files, which is not linted. */
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

/** Returns a configuration with the paths in `lint` and `breaking` adjusted. */
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

/** Converts a path that buf reports to one relative to `cwd`. */
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
