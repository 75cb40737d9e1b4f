import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { CodeGeneratorRequestSchema, type FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { buildImage, isBelow, type ProtoImage } from "../buf/build-image.ts";
import { shippedCode } from "../buf/shipped-protos.ts";
import { openWorkspace, type Workspace } from "../buf/workspace.ts";
import type { CommandContext } from "../frame/context.ts";
import type { GenConfig, GenInput, GenPlugin } from "./gen-config.ts";
import { runPlugin } from "./run-plugin.ts";

/** Generated files by their absolute paths. */
export type GeneratedFiles = ReadonlyMap<string, string>;

/** Compiled files, and which of them to generate code for. */
export interface GenSource {
  readonly files: FileDescriptorSet;
  readonly names: readonly string[];
  /** Shipped files that the project does not contain. */
  readonly shipped: readonly string[];
}

/**
 * Compiles the inputs, each in its workspace.
 *
 * @throws CommandFailure for errors in .proto files
 */
export async function compileInputs(config: GenConfig, context: CommandContext): Promise<GenSource[]> {
  const sources: GenSource[] = [];
  for (const input of config.inputs) {
    const workspace = openWorkspace(input.folder);
    const image = await buildImage(workspace, context);
    const shipped = image.shipped.map(({ name }) => name);
    sources.push({ files: image.files, names: selectFiles(image, input, workspace), shipped });
  }
  return sources;
}

/** Runs all plugins over all sources. */
export async function generateCode(
  sources: readonly GenSource[],
  config: GenConfig,
  folder: string,
  context: CommandContext,
): Promise<GeneratedFiles> {
  const generated = new Map<string, string>();
  for (const { files, names, shipped } of sources) {
    for (const plugin of config.plugins) {
      const request = create(CodeGeneratorRequestSchema, {
        parameter: withShippedImports(plugin, shipped).join(","),
        fileToGenerate: [...names],
        protoFile: files.file,
      });
      const { file } = await runPlugin(plugin.program, request, folder, context);
      for (const { name, content } of file) generated.set(join(plugin.outFolder, name), content);
    }
  }
  return generated;
}

/** Selects the files of an input: without their imports, except for shipped files whose code no package contains. */
function selectFiles({ files, shipped }: ProtoImage, input: GenInput, workspace: Workspace): string[] {
  const shippedNames = new Set(shipped.map(({ name }) => name));
  return files.file
    .map(({ name }) => name)
    .filter((name) => {
      if (shippedNames.has(name)) return shippedCodeOf(name) === undefined;
      const path = workspace.moduleFolders.map((folder) => resolve(folder, name)).find((one) => existsSync(one));
      if (path === undefined || !isBelow(path, input.folder)) return false;
      if (input.only.length > 0 && !input.only.some((one) => isBelow(path, one))) return false;
      return !input.excluded.some((one) => isBelow(path, one));
    });
}

function shippedCodeOf(name: string): [prefix: string, code: string] | undefined {
  return Object.entries(shippedCode).find(([prefix]) => name.startsWith(prefix));
}

/** Returns the plugin's options, with imports of shipped code from its package unless the options say otherwise. */
function withShippedImports(plugin: GenPlugin, shipped: readonly string[]): string[] {
  const isEs = /(^|\/)protoc-gen-es$/.test(plugin.program[0] ?? "");
  const needed = isEs
    ? Object.entries(shippedCode).filter(([prefix]) => shipped.some((name) => name.startsWith(prefix)))
    : [];
  const added = needed.map(([prefix, code]) => `map_imports=${prefix}:${code}`);
  return [...plugin.options, ...added.filter((option) => !plugin.options.includes(option))];
}
