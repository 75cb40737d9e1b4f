import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parse } from "yaml";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { suggestNearest, withSuggestion } from "../frame/suggestion.ts";

/** A service with a program to start. */
export interface ServiceProject {
  /** Name in tercel.yaml, else in package.json, else of the folder. Unique among the services found together. */
  readonly name: string;
  /** Working folder of the program, with its configuration; absolute. */
  readonly folder: string;
  /** Path of the program; absolute. */
  readonly main: string;
}

const mainFiles = ["src/main.ts", "src/main.js", "main.ts", "main.js"];
/** Folders that are searched when none are configured. */
const usualPlaces = ["*", "services/*", "apps/*", "packages/*"];

/**
 * Finds the service in a folder, or the services of the workspace in it: those that its tercel.yaml lists under `services`, else those among
 * the workspaces of its package manager, else those in the usual subfolders.
 *
 * @throws CommandFailure when there is none, or tercel.yaml is invalid
 */
export function findServices(root: string): readonly ServiceProject[] {
  const listed = listedFolders(root);
  if (listed !== undefined) return withUniqueNames(listed.map((folder) => requireService(root, folder)));
  const own = readService(root);
  if (own !== undefined) return [own];
  const members = memberPatterns(root).flatMap((pattern) => foldersMatching(root, pattern));
  const found = [...new Set(members)].sort().flatMap((folder) => readService(folder) ?? []);
  if (found.length === 0) {
    throw new CommandFailure(exitCodes.notFound, `no service in ${root}: neither it nor a subfolder has src/main.ts`, {
      hint: "run this command in the folder of a service or a workspace; tercel new creates one",
    });
  }
  return withUniqueNames(found);
}

/**
 * Selects the named services and, unless `isAlone` is true, their dependencies.
 *
 * @param dependenciesOf the names of the services that one depends on
 * @throws CommandFailure for an unknown name
 */
export function selectServices<Service extends { readonly name: string }>(
  services: readonly Service[],
  names: readonly string[],
  isAlone: boolean,
  dependenciesOf: (service: Service) => readonly string[],
): readonly Service[] {
  if (names.length === 0) return services;
  const byName = new Map(services.map((service) => [service.name, service]));
  const selected = new Set<Service>();
  const add = (service: Service): void => {
    if (selected.has(service)) return;
    selected.add(service);
    if (isAlone) return;
    for (const name of dependenciesOf(service)) {
      const dependency = byName.get(name);
      if (dependency !== undefined) add(dependency);
    }
  };
  for (const name of names) {
    const service = byName.get(name);
    if (service === undefined) throw unknownService(name, [...byName.keys()]);
    add(service);
  }
  return services.filter((service) => selected.has(service));
}

function unknownService(name: string, known: readonly string[]): CommandFailure {
  const suggestion = suggestNearest(name, known);
  const hint = suggestion === undefined ? `known services: ${known.join(", ")}` : undefined;
  const what = `unknown service ${JSON.stringify(name)}`;
  return new CommandFailure(exitCodes.notFound, withSuggestion(what, suggestion), { hint });
}

/** Reads `services` of tercel.yaml: a list of folders. */
function listedFolders(root: string): readonly string[] | undefined {
  const services = readRecord(root)?.services;
  if (services === undefined) return undefined;
  if (!Array.isArray(services) || services.some((folder) => typeof folder !== "string") || services.length === 0) {
    throw new CommandFailure(
      exitCodes.invalidInput,
      "tercel.yaml: invalid services: expected a list of folders, such as [services/user]",
    );
  }
  return services as readonly string[];
}

function requireService(root: string, folder: string): ServiceProject {
  const service = readService(resolve(root, folder));
  if (service !== undefined) return service;
  throw new CommandFailure(exitCodes.invalidInput, `tercel.yaml: ${folder} has no program: ${mainFiles.join(", ")}`);
}

function readService(folder: string): ServiceProject | undefined {
  const main = mainFiles.map((file) => join(folder, file)).find((file) => existsSync(file));
  if (main === undefined || !hasConfiguration(folder)) return undefined;
  return { name: nameOf(folder), folder, main };
}

/** Whether a folder has a service configuration; a library may have a src/main.ts, but no configuration. */
function hasConfiguration(folder: string): boolean {
  return (
    ["config.yaml", "config/default.yaml", "tercel.yaml"].some((file) => existsSync(join(folder, file))) ||
    readManifest(folder)?.dependencies?.["@tercel/service"] !== undefined
  );
}

function nameOf(folder: string): string {
  const { name: recorded } = readRecord(folder) ?? {};
  if (typeof recorded === "string" && recorded !== "") return recorded;
  const packaged = readManifest(folder)?.name?.replace(/^@[^/]+\//, "");
  return packaged === undefined || packaged === "" ? basename(folder) : packaged;
}

/** Names services with the same name after their folders. */
function withUniqueNames(services: readonly ServiceProject[]): readonly ServiceProject[] {
  const isTaken = ({ name }: ServiceProject): boolean => services.filter((other) => other.name === name).length > 1;
  const renamed = services.map((service) =>
    isTaken(service) ? { ...service, name: basename(service.folder) } : service,
  );
  const again = renamed.find((service) => renamed.filter((other) => other.name === service.name).length > 1);
  if (again === undefined) return renamed;
  throw new CommandFailure(
    exitCodes.invalidInput,
    `duplicate service name ${again.name}: change the name in one tercel.yaml`,
  );
}

/** Returns the patterns in package.json (npm, yarn, bun) or pnpm-workspace.yaml, else the usual folders. */
function memberPatterns(root: string): readonly string[] {
  const { workspaces } = readManifest(root) ?? {};
  const named = workspaces !== undefined && "packages" in workspaces ? workspaces.packages : workspaces;
  const listed: unknown = named ?? readYaml(join(root, "pnpm-workspace.yaml"))?.packages;
  const patterns = Array.isArray(listed) ? listed.filter((one) => typeof one === "string" && !one.startsWith("!")) : [];
  return patterns.length > 0 ? patterns : usualPlaces;
}

function foldersMatching(root: string, pattern: string): string[] {
  return globSync(pattern, { cwd: root, exclude: (name) => name === "node_modules" || name.startsWith(".") })
    .map((path) => join(root, path))
    .filter((path) => statSync(path).isDirectory());
}

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[] | { readonly packages?: readonly string[] };
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

function readRecord(folder: string): Readonly<Record<string, unknown>> | undefined {
  return readYaml(join(folder, "tercel.yaml"));
}

/** Reads a YAML file; undefined if it does not exist. @throws CommandFailure when it is not YAML */
function readYaml(file: string): Readonly<Record<string, unknown>> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const value: unknown = parse(readFileSync(file, "utf8"));
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch (error) {
    throw new CommandFailure(exitCodes.invalidInput, `${file}: ${(error as Error).message.split("\n")[0]}`);
  }
}
