// `npm run check:shape`: measures the size of packages, files and folders, and fails if one exceeds its limit in shape.json.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { isSourceFile, isTestFile, listFiles } from "../source-files.ts";
import { publicPackages } from "../workspace-packages.ts";

export interface Measure {
  /** A package, a file or a folder. */
  readonly name: string;
  readonly count: number;
}

/** Each list begins with the largest. */
export interface RepositoryShape {
  /** The number of names, including types, that the root of each public package exports, from its API report. */
  readonly rootNames: readonly Measure[];
  /** Lines of hand-written source files, without tests. */
  readonly lines: readonly Measure[];
  /** The number of hand-written source files in a folder, without subfolders and tests. */
  readonly files: readonly Measure[];
}

export interface ShapeLimits {
  readonly maxRootNames: number;
  readonly maxLines: number;
  readonly maxFiles: number;
  /** Subjects that may be above their limit, with the reason. */
  readonly exceptions: Readonly<Record<string, string>>;
}

export function measureShape(root: string): RepositoryShape {
  const sources = listFiles(root).filter((file) => isSourceFile(file) && !isTestFile(file) && !isGenerated(file));
  const folders = new Map<string, number>();
  for (const folder of sources.map((file) => posix.dirname(file))) folders.set(folder, (folders.get(folder) ?? 0) + 1);
  return {
    rootNames: byCount(
      publicPackages(root).flatMap(({ name, folder }) => {
        const report = join(root, folder, "api", "index.api.md");
        if (!existsSync(report)) return [];
        const names = /^Exported names: (\d+)\.$/m.exec(readFileSync(report, "utf8"))?.[1];
        if (names === undefined) throw new Error(`${report} does not say how many names it has`);
        return [{ name, count: Number(names) }];
      }),
    ),
    lines: byCount(sources.map((name) => ({ name, count: countLines(readFileSync(join(root, name), "utf8")) }))),
    files: byCount([...folders].map(([name, count]) => ({ name, count }))),
  };
}

/** Returns subjects above their limit without an exception, and exceptions that are no longer needed. */
export function shapeProblems(shape: RepositoryShape, limits: ShapeLimits): string[] {
  const checked = [
    { measures: shape.rootNames, limit: limits.maxRootNames, unit: "exported names" },
    { measures: shape.lines, limit: limits.maxLines, unit: "lines" },
    { measures: shape.files, limit: limits.maxFiles, unit: "files" },
  ];
  const above = checked.flatMap(({ measures, limit, unit }) =>
    measures.filter(({ count }) => count > limit).map((measure) => ({ ...measure, limit, unit })),
  );
  const names = new Set(above.map(({ name }) => name));
  return [
    ...above
      .filter(({ name }) => limits.exceptions[name] === undefined)
      .map(({ name, count, limit, unit }) => `${name} has ${count} ${unit}, more than ${limit}: split it`),
    ...Object.keys(limits.exceptions)
      .filter((name) => !names.has(name))
      .map((name) => `${name} is within its limit: remove it from the exceptions in tools/shape.json`),
  ];
}

function isGenerated(file: string): boolean {
  return file.split("/").includes("gen") || file.endsWith(".d.ts");
}

function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

function byCount(measures: readonly Measure[]): readonly Measure[] {
  return measures.toSorted((a, b) => b.count - a.count);
}

function describe(measures: readonly Measure[], limit: number): string {
  const shown = Math.max(1, measures.filter(({ count }) => count > limit).length);
  return measures
    .slice(0, shown)
    .map(({ name, count }) => `  ${String(count).padStart(4)}  ${name}`)
    .join("\n");
}

if (import.meta.main) {
  const limits = JSON.parse(readFileSync(join(import.meta.dirname, "..", "shape.json"), "utf8")) as ShapeLimits;
  const shape = measureShape(dirname(dirname(import.meta.dirname)));
  console.log(`exported names at the root of a package, at most ${limits.maxRootNames}:`);
  console.log(describe(shape.rootNames, 0));
  console.log(`lines of a source file, at most ${limits.maxLines}:`);
  console.log(describe(shape.lines, limits.maxLines));
  console.log(`source files of a folder, at most ${limits.maxFiles}:`);
  console.log(describe(shape.files, limits.maxFiles));
  const problems = shapeProblems(shape, limits);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
