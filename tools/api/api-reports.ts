// The API reports: the exports of each entry point of a published package, with their signatures.
// API Extractor reads them from the declarations in dist/, so the packages must be built.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { createTwoFilesPatch } from "diff";
import { publicPackages, type WorkspacePackage } from "../workspace-packages.ts";
import { type Declaration, type EntryDeclarations, readDeclarations, usedImports } from "./declarations.ts";

/** The text of each report, by its path below the root. */
export type Reports = ReadonlyMap<string, string>;

interface Entry {
  readonly package: WorkspacePackage;
  /** As users write it: `@tercel/grpc/testing`. */
  readonly name: string;
  readonly declarationFile: string;
}

const updateCommand = "npm run check:api -- --update";
const reportEnding = ".api.md";

/** True for a file that this tool writes: `packages/grpc/api/testing.api.md`. */
export function isReport(file: string): boolean {
  return /^(?:packages|apps)\/[^/]+\/api\//.test(file) && file.endsWith(reportEnding);
}

/** Returns the reports of all published packages below `root`, from their built declarations. Throws if a package is not built. */
export function createReports(root: string): Reports {
  const entries = publicPackages(root).flatMap((one) =>
    [...one.entryPoints].map(([name, source]) => ({
      package: one,
      name,
      declarationFile: join(root, source.replace("/src/", "/dist/").replace(/\.ts$/, ".d.ts")),
    })),
  );
  const missing = entries.find(({ declarationFile }) => !existsSync(declarationFile));
  if (missing !== undefined) {
    throw new Error(`${missing.name} is not built, ${missing.declarationFile} is missing: run npm run build`);
  }
  const read = readEntries(root, entries);
  const reports = new Map<string, string>();
  for (const one of new Set(entries.map((entry) => entry.package))) {
    const own = new Map(entries.filter((entry) => entry.package === one).map(({ name }) => [name, read.get(name)]));
    for (const [path, text] of packageReports(one.name, own as ReadonlyMap<string, EntryDeclarations>)) {
      reports.set(`${one.folder}/api/${path}`, text);
    }
  }
  return reports;
}

/**
 * Returns the reports of one package, by their paths below its `api/`: one for each entry point, and `unexported.api.md` for
 * types that signatures name but no entry point exports. Users cannot import those, but depend on them.
 */
export function packageReports(packageName: string, entries: ReadonlyMap<string, EntryDeclarations>): Reports {
  const reports = new Map<string, string>();
  const exportedSomewhere = new Set<string>();
  for (const { declarations } of entries.values()) {
    for (const { isExported, text } of declarations) if (isExported) exportedSomewhere.add(text);
  }
  const unexported = new Map<string, Declaration>();
  const imports = new Set<string>();
  for (const [entry, { imports: entryImports, declarations }] of entries) {
    const path = entry === packageName ? "index" : entry.slice(packageName.length + 1);
    const exported = declarations.filter(({ isExported }) => isExported);
    const count = new Set(exported.map(({ name }) => name)).size;
    const title = `# API of \`${entry}\`\n\nExported names: ${count}.`;
    reports.set(`${path}${reportEnding}`, formatReport(title, entryImports, exported));
    for (const declaration of declarations) {
      if (declaration.isExported || exportedSomewhere.has(`export ${declaration.text}`)) continue;
      unexported.set(declaration.text, declaration);
      for (const line of usedImports(entryImports, declaration.text)) imports.add(line);
    }
  }
  if (unexported.size > 0) {
    const sorted = [...unexported.values()].sort((one, other) => compareTexts(one.name, other.name));
    const count = new Set(sorted.map(({ name }) => name)).size;
    const title = `# Types of \`${packageName}\` that signatures name and no entry point exports\n\nNames: ${count}.`;
    reports.set(`unexported${reportEnding}`, formatReport(title, [...imports].sort(compareTexts), sorted));
  }
  return reports;
}

/** Returns the differences between the committed and the current reports as a patch; empty if they are equal. */
export function compareReports(committed: Reports, current: Reports): string {
  const paths = [...new Set([...committed.keys(), ...current.keys()])].sort(compareTexts);
  return paths
    .filter((path) => committed.get(path) !== current.get(path))
    .map((path) => {
      const [before, after] = [committed.get(path), current.get(path)];
      const names = [before === undefined ? "/dev/null" : path, after === undefined ? "/dev/null" : path] as const;
      return createTwoFilesPatch(...names, before ?? "", after ?? "", "committed", "now");
    })
    .join("\n");
}

function formatReport(title: string, imports: readonly string[], declarations: readonly Declaration[]): string {
  const text = declarations.map((one) => one.text).join("\n\n");
  const importLines = usedImports(imports, text);
  const code = importLines.length > 0 ? `${importLines.join("\n")}\n\n${text}` : text;
  // Not "ts", because the tests of the docs would check the report as a program.
  return `${title}\n\`${updateCommand}\` writes this file; do not edit it.\n\n\`\`\`typescript\n${code}\n\`\`\`\n`;
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Reads all entry points with one TypeScript program, because creating the program takes most of the time. */
function readEntries(root: string, entries: readonly Entry[]): ReadonlyMap<string, EntryDeclarations> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-api-"));
  try {
    const configs = entries.map((entry) => configOf(root, entry, folder));
    const [first] = configs;
    if (first === undefined) return new Map();
    const additionalEntryPoints = entries.map(({ declarationFile }) => declarationFile);
    const compilerState = CompilerState.create(first, { additionalEntryPoints });
    return new Map(
      entries.map(({ name }, index) => [name, readEntry(name, configs[index] ?? first, compilerState)] as const),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readEntry(name: string, config: ExtractorConfig, compilerState: CompilerState): EntryDeclarations {
  const errors: string[] = [];
  const { succeeded } = Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel !== ExtractorLogLevel.Error) return;
      errors.push(`${message.sourceFilePath ?? ""}:${message.sourceFileLine ?? ""}: ${message.text}`);
    },
  });
  if (!succeeded || errors.length > 0) throw new Error(`${name} cannot be read:\n${errors.join("\n")}`);
  return readDeclarations(readFileSync(config.reportFilePath, "utf8"));
}

function configOf(root: string, entry: Entry, folder: string): ExtractorConfig {
  const projectFolder = join(root, entry.package.folder);
  const ignored = { default: { logLevel: ExtractorLogLevel.None } };
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, "package.json"),
    configObject: {
      projectFolder,
      mainEntryPointFilePath: entry.declarationFile,
      compiler: {
        overrideTsconfig: {
          // Without the condition "source", so that packages resolve as for users.
          compilerOptions: {
            target: "es2023",
            lib: ["es2024", "esnext.disposable"],
            types: ["node"],
            typeRoots: [join(root, "node_modules", "@types")],
            module: "nodenext",
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true,
          },
          files: [entry.declarationFile],
        },
      },
      apiReport: {
        enabled: true,
        includeForgottenExports: true,
        reportFileName: `${entry.name.replaceAll("/", "+")}${reportEnding}`,
        reportFolder: folder,
        reportTempFolder: join(folder, "temp"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      testMode: true,
      messages: {
        // Compiler errors, because a report of declarations with errors would be incomplete.
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        // Release tags, TSDoc and types that are not exported: the reports show the last, the rest is not our style.
        extractorMessageReporting: ignored,
        tsdocMessageReporting: ignored,
      },
    },
  });
}
