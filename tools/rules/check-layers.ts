// `npm run check:layers`: fails on an import that the table of layers (layers.json) does not allow.
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix } from "node:path";
import { type FoundImport, readImports } from "../read-imports.ts";
import { isSourceFile, isTestFile, listFiles } from "../source-files.ts";
import { packageOf, packagesAbove, readPackages, type WorkspacePackage } from "../workspace-packages.ts";
import { findImportCycles } from "./import-cycles.ts";
import { type LayerTable, matchedFolder, type Place, parseLayerTable, placeOf } from "./layer-table.ts";

export interface Finding {
  readonly file: string;
  readonly line: number;
  /** The problem, and what to do about it. */
  readonly text: string;
}

interface House {
  readonly table: LayerTable;
  readonly packages: readonly WorkspacePackage[];
  readonly byName: ReadonlyMap<string, WorkspacePackage>;
  readonly sources: ReadonlySet<string>;
}

const builtins = new Set(builtinModules);

/** Checks every source file below `root` against a table of layers. */
export function checkLayers(root: string, table: LayerTable): Finding[] {
  const files = listFiles(root).filter(isSourceFile);
  const packages = readPackages(root);
  const byName = new Map(packages.map((one) => [one.name, one]));
  const house: House = { table, packages, byName, sources: new Set(files) };
  const findings: Finding[] = [];
  const graph = new Map<string, string[]>();
  const importLines = new Map<string, number>();
  const unnamedFolders = new Set<string>();

  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    findings.push(...reservedWordFindings(table, file, text));
    const place = placeOf(table, file);
    if (place === undefined) {
      const folder = posix.dirname(file);
      // Configuration files at the root have no folder.
      if (folder !== "." && !unnamedFolders.has(folder)) {
        findings.push({ file, line: 1, text: `no row of tools/layers.json names ${folder}/; give it a floor` });
      }
      unnamedFolders.add(folder);
      continue;
    }
    const targets: string[] = [];
    for (const found of readImports(text)) {
      const problem = importProblem(house, file, place, found);
      if (problem !== undefined) findings.push({ file, line: found.line, text: problem });
      const target = found.specifier === undefined ? undefined : targetOf(house, file, found.specifier);
      if (target !== undefined && house.sources.has(target)) {
        targets.push(target);
        importLines.set(`${file} ${target}`, found.line);
      }
    }
    graph.set(file, targets);
  }

  for (const cycle of findImportCycles(graph)) {
    const [first = "", second = first] = cycle;
    findings.push({
      file: first,
      line: importLines.get(`${first} ${second}`) ?? 1,
      text: `import cycle: ${[...cycle, first].join(" → ")}; move what both need into a file below them`,
    });
  }
  return findings;
}

/** Returns the problem of an import; undefined if it has none. */
function importProblem(house: House, file: string, place: Place, found: FoundImport): string | undefined {
  const { specifier } = found;
  if (specifier === undefined) {
    return place.row.isDevelopmentOnly || isTestFile(file)
      ? undefined
      : "import() of a computed name cannot be checked; write the name as a literal";
  }
  const reserved = reservedModuleProblem(house.table, file, specifier);
  if (reserved !== undefined) return reserved;
  if (specifier.startsWith("node:") || builtins.has(specifier)) return undefined;

  if (specifier.startsWith(".")) {
    const target = relativeTarget(file, specifier);
    const own = packageOf(house.packages, file);
    const other = packageOf(house.packages, target);
    if (place.row.isInsider) return undefined;
    const crosses = own !== other && !(place.row.isDevelopmentOnly && other?.folder === "");
    if (crosses) {
      const name = other?.folder === "" ? "the workspace root" : (other?.name ?? "another package");
      return `${specifier} reaches into ${name}; import one of its entry points instead`;
    }
    return house.sources.has(target) ? floorProblem(house.table, file, place, target) : undefined;
  }

  const name = packageNameOf(specifier);
  const undeclared = undeclaredProblem(house, file, place, name);
  if (undeclared !== undefined) return undeclared;
  const sibling = house.byName.get(name);
  if (sibling === undefined) return undefined;
  const target = sibling.entryPoints.get(specifier);
  if (target === undefined) {
    const known = [...sibling.entryPoints.keys()].join(", ");
    return `${specifier} is not an entry point of ${name}; import one of: ${known}`;
  }
  return floorProblem(house.table, file, place, target);
}

function floorProblem(table: LayerTable, file: string, place: Place, target: string): string | undefined {
  const other = placeOf(table, target);
  // A target without a row is reported separately.
  if (other === undefined || other.folder === place.folder) return undefined;
  // A test may import any layer of its own package.
  if (isTestFile(file) && topFolder(file) === topFolder(target)) return undefined;
  const { floor } = place.row;
  if (other.row.floor < floor) return undefined;
  if (other.row.floor === floor) {
    return `sideways import: ${place.folder} and ${other.folder} share a floor; move the shared part down, or one of them up in tools/layers.json`;
  }
  return `upward import: ${place.folder} must not know ${other.folder}, which is above it in tools/layers.json; turn the dependency round or move the shared part down`;
}

function undeclaredProblem(house: House, file: string, place: Place, name: string): string | undefined {
  const own = packageOf(house.packages, file);
  if (own === undefined || own.name === name || own.dependencies.has(name)) return undefined;
  if (place.row.isBundled && own.devDependencies.has(name)) return undefined;
  if (place.row.isDevelopmentOnly) {
    // Tools and examples may use the dependencies of all packages of this workspace, because these are installed at the root.
    const isDeclared =
      packagesAbove(house.packages, file).some((one) => one.dependencies.has(name) || one.devDependencies.has(name)) ||
      house.packages.some((one) => one.folder.startsWith("packages/") && one.dependencies.has(name));
    if (isDeclared || house.byName.has(name)) return undefined;
  }
  if (isTestFile(file)) {
    const rootPackage = house.packages.find((one) => one.folder === "");
    if (own.devDependencies.has(name) || rootPackage?.devDependencies.has(name)) return undefined;
  }
  const manifest = posix.join(own.folder, "package.json");
  if (own.devDependencies.has(name)) {
    return `${name} is only a devDependency in ${manifest}; users would not get it: make it a dependency`;
  }
  return `${name} is not declared in ${manifest}; declare it there or do without it`;
}

function reservedModuleProblem(table: LayerTable, file: string, specifier: string): string | undefined {
  if (isTestFile(file)) return undefined;
  for (const { module, within, only } of table.reservedModules) {
    const isMeant = specifier === module || `node:${specifier}` === module || specifier.startsWith(`${module}/`);
    if (!isMeant || matchedFolder(within, file) === undefined) continue;
    if (only.some((pattern) => matchedFolder(pattern, file) !== undefined)) continue;
    const owners = only.length === 0 ? "no one in" : `${only.join(", ")} in`;
    return `${module} is reserved for ${owners} ${within}; go through the layer below`;
  }
  return undefined;
}

function reservedWordFindings(table: LayerTable, file: string, text: string): Finding[] {
  const words = table.reservedWords.filter(({ notIn }) => matchedFolder(notIn, file) !== undefined);
  if (words.length === 0) return [];
  const findings: Finding[] = [];
  text.split("\n").forEach((content, index) => {
    for (const { word, notIn } of words) {
      if (!content.toLowerCase().includes(word)) continue;
      findings.push({
        file,
        line: index + 1,
        text: `the word "${word}" must not occur in ${notIn}; say it in a layer above`,
      });
    }
  });
  return findings;
}

/** Returns the source file of a specifier; undefined for builtins and external packages. */
function targetOf(house: House, file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return relativeTarget(file, specifier);
  return house.byName.get(packageNameOf(specifier))?.entryPoints.get(specifier);
}

function relativeTarget(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
}

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** `packages/grpc` of `packages/grpc/src/x.ts`. */
function topFolder(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

if (import.meta.main) {
  const root = dirname(dirname(import.meta.dirname));
  const table = parseLayerTable(readFileSync(join(import.meta.dirname, "..", "layers.json"), "utf8"));
  const findings = checkLayers(root, table);
  for (const { file, line, text } of findings) console.log(`${file}:${line}: ${text}`);
  if (findings.length > 0) process.exitCode = 1;
  else console.log("layers: every import keeps to the table");
}
