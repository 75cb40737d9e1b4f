import { existsSync, globSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createFileRegistry } from "@bufbuild/protobuf";
import { confirm, isCancel } from "@clack/prompts";
import { isBelow } from "../buf/build-image.ts";
import { type CommandContext, isInteractive } from "../frame/context.ts";
import type { GenConfig, GenPlugin } from "../generate/gen-config.ts";
import type { GeneratedFiles, GenSource } from "../generate/generate-code.ts";
import { replaceFiles } from "../project/replace-files.ts";
import { printDiffs } from "../project/report-changes.ts";
import { type GeneratedService, planStubs, type StubEdit, type StubPlan } from "./plan-stubs.ts";

/** How `tercel generate` handles methods without a handler. */
export type StubMode = "write" | "offer" | "mention";

/** Finds methods without a handler, and writes stubs or lists the methods. */
export async function runStubs(
  project: { readonly folder: string; readonly config: GenConfig; readonly sources: readonly GenSource[] },
  generated: GeneratedFiles,
  mode: StubMode,
  context: CommandContext,
): Promise<void> {
  const { folder, config } = project;
  const plugin = config.plugins.find(({ program }) => /(^|\/)protoc-gen-es$/.test(program[0] ?? ""));
  if (plugin === undefined) return;
  const services = project.sources.flatMap((source) => servicesOf(source, plugin, generated));
  const own = join(folder, "src");
  const outFolders = config.plugins.map(({ outFolder }) => outFolder);
  const plan = planStubs(services, readSources(existsSync(own) ? own : folder, outFolders), own);
  if (mode === "write") return write(plan, folder, context);
  if (plan.added.length === 0) return;
  const edits = plan.edits.filter(({ before }) => before !== undefined);
  const names = plan.added.map(({ parent, name }) => `${parent.name}/${name}`).join(", ");
  const what = plan.added.length === 1 ? "1 method has" : `${plan.added.length} methods have`;
  await context.stderr.line(`${what} no handler: ${names}`);
  if (mode === "offer" && isInteractive(context)) {
    await printDiffs(toChanges(edits, folder), context);
    if (await askToWrite(context)) await writeEdits(edits, folder, context);
  } else {
    await context.stderr.line("tercel generate --stubs writes a stub for each");
  }
}

async function write(plan: StubPlan, folder: string, context: CommandContext): Promise<void> {
  const { stderr, stdout } = context;
  await writeEdits(plan.edits, folder, context);
  for (const { path, service, factory } of plan.created) {
    await stderr.line(`  register ${relative(folder, path)}: router.service(${service.name}, ${factory}());`);
  }
  for (const { service, reason, lines } of plan.left) {
    await stderr.line(
      `${stderr.style("yellow", "not written:")} handlers of ${service.typeName}: ${shortened(reason, folder)}`,
    );
    for (const line of lines) await stdout.line(line);
  }
  const count = plan.added.length + plan.created.reduce((sum, { service }) => sum + service.methods.length, 0);
  await stderr.line(count === 0 ? "no stub written" : `${count === 1 ? "1 stub" : `${count} stubs`} written`);
}

async function writeEdits(edits: readonly StubEdit[], folder: string, context: CommandContext): Promise<void> {
  replaceFiles(folder, new Map(edits.map(({ path, after }) => [relative(folder, path), after])));
  for (const { path, before } of edits) {
    await context.stderr.line(`  ${before === undefined ? "new" : "changed"}: ${relative(context.cwd, path)}`);
  }
}

function toChanges(edits: readonly StubEdit[], folder: string) {
  return edits.map(({ path, ...rest }) => ({ path: relative(folder, path), outcome: "updated" as const, ...rest }));
}

async function askToWrite({ stdin, stderr, signal }: CommandContext): Promise<boolean> {
  const answer = await confirm({ input: stdin, output: stderr.stream, signal, message: "Write these handlers?" });
  return !isCancel(answer) && answer;
}

/** Makes the paths in a reason relative. */
function shortened(text: string, folder: string): string {
  return text.replaceAll(`${resolve(folder)}/`, "");
}

function servicesOf({ files, names }: GenSource, plugin: GenPlugin, generated: GeneratedFiles): GeneratedService[] {
  const registry = createFileRegistry(files);
  const extension = /^import_extension=(.*)$/.exec(
    plugin.options.find((one) => one.startsWith("import_extension=")) ?? "",
  );
  const ending = extension === null || extension[1] === "none" ? "" : `.${extension[1]}`;
  return names.flatMap((file) => {
    const base = join(plugin.outFolder, file.replace(/\.proto$/, "_pb"));
    const [module, text] = ["ts", "js"]
      .map((each) => [`${base}.${each}`, generated.get(`${base}.${each}`)] as const)
      .find(([, found]) => found !== undefined) ?? ["", undefined];
    return (registry.getFile(file)?.services ?? []).flatMap((service): GeneratedService[] => {
      // The plugin renames a service whose name is a keyword.
      const name = [service.name, `${service.name}$`].find(
        (one) => text?.includes(`export const ${one}:`) || text?.includes(`export const ${one} =`),
      );
      return name === undefined ? [] : [{ service, name, module, ending }];
    });
  });
}

const skippedFolders = new Set(["node_modules", "dist", "gen"]);

/** Reads the project's own TypeScript, without generated files. */
function readSources(folder: string, outFolders: readonly string[]): ReadonlyMap<string, string> {
  const files = globSync("**/*.ts", {
    cwd: folder,
    exclude: (name) => skippedFolders.has(name.split(/[\\/]/).at(-1) ?? ""),
  });
  const paths = files.map((file) => resolve(folder, file));
  return new Map(
    paths
      .filter((path) => !/\.(d|test|spec)\.ts$/.test(path) && !outFolders.some((out) => isBelow(path, out)))
      .sort()
      .map((path) => [path, readFileSync(path, "utf8")]),
  );
}
