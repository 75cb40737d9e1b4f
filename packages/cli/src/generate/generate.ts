import { writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../frame/context.ts";
import { formatDuration } from "../frame/duration.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { readOptionFile } from "../frame/option-file.ts";
import { type GenConfig, readGenConfig } from "./gen-config.ts";
import { compileInputs, type GenSource, generateCode } from "./generate-code.ts";
import { applyChanges, compareOutput, type OutputChanges } from "./output-files.ts";
import { watchProtos } from "./watch-protos.ts";

export interface GenerateOptions {
  readonly check?: boolean;
  readonly watch?: boolean;
  readonly stubs?: boolean;
  /** Whether to prompt about missing handlers on a terminal. Default false, for commands that generate as a side effect. */
  readonly asks?: boolean;
  readonly descriptorOut?: string;
  readonly descriptorIn?: string;
}

/** `tercel generate` */
export async function generate(folderText: string, options: GenerateOptions, context: CommandContext): Promise<void> {
  const folder = resolve(context.cwd, folderText);
  if (options.watch === true) {
    await watchProtos(folder, context, () => generateOnce(folder, options, context));
  } else {
    await generateOnce(folder, options, context);
  }
}

async function generateOnce(folder: string, options: GenerateOptions, context: CommandContext): Promise<void> {
  const startedAtMs = performance.now();
  const config = readGenConfig(folder);
  const sources = await readSources(config, options, context);
  if (options.descriptorOut !== undefined) {
    writeFileSync(resolve(context.cwd, options.descriptorOut), toBinary(FileDescriptorSetSchema, mergeFiles(sources)));
  }
  const files = await generateCode(sources, config, folder, context);
  const cleanFolders = config.clean ? [...new Set(config.plugins.map(({ outFolder }) => outFolder))] : [];
  const changes = compareOutput(files, cleanFolders);
  if (options.check === true) return refuseStale(changes, context);
  applyChanges(files, changes);
  await reportChanges(files.size, changes, performance.now() - startedAtMs, context);
  const { runStubs } = await import("../stubs/run-stubs.ts");
  // While it watches, a prompt would block the next change.
  const asks = options.asks === true && options.watch !== true;
  const mode = options.stubs === true ? "write" : asks ? "offer" : "mention";
  await runStubs({ folder, config, sources }, files, mode, context);
}

async function readSources(config: GenConfig, options: GenerateOptions, context: CommandContext): Promise<GenSource[]> {
  const { descriptorIn } = options;
  if (descriptorIn === undefined) return compileInputs(config, context);
  const files = readDescriptors(descriptorIn, readOptionFile("--descriptor-in", descriptorIn, context.cwd));
  // Types that every compiler includes are not generated.
  const names = files.file.map(({ name }) => name).filter((name) => !name.startsWith("google/protobuf/"));
  return [{ files, names, shipped: [] }];
}

function readDescriptors(file: string, bytes: Uint8Array): FileDescriptorSet {
  try {
    return fromBinary(FileDescriptorSetSchema, bytes);
  } catch {
    throw new CommandFailure(exitCodes.invalidInput, `${file} is not a FileDescriptorSet`);
  }
}

function mergeFiles(sources: readonly GenSource[]): FileDescriptorSet {
  const merged = new Map<string, FileDescriptorProto>();
  for (const { files } of sources)
    for (const file of files.file) if (!merged.has(file.name)) merged.set(file.name, file);
  return create(FileDescriptorSetSchema, { file: [...merged.values()] });
}

function refuseStale(changes: OutputChanges, context: CommandContext): void {
  const lines = describeChanges(changes, context, {
    missing: "missing",
    different: "out of date",
    extra: "no longer generated",
  });
  if (lines.length === 0) return;
  throw new CommandFailure(exitCodes.stale, "generated files are out of date", {
    lines,
    hint: "run tercel generate and commit the result",
    json: { files: lines },
  });
}

async function reportChanges(
  count: number,
  changes: OutputChanges,
  ms: number,
  context: CommandContext,
): Promise<void> {
  const lines = describeChanges(changes, context, { missing: "new", different: "changed", extra: "removed" });
  for (const line of lines) await context.stderr.line(`  ${line}`);
  const files = count === 1 ? "1 file" : `${count} files`;
  const changed = lines.length === 0 ? "nothing changed" : `${lines.length} changed`;
  await context.stderr.line(`${files} generated, ${changed} (${formatDuration(ms)})`);
}

function describeChanges(
  changes: OutputChanges,
  context: CommandContext,
  words: Readonly<Record<keyof OutputChanges, string>>,
): string[] {
  return (["missing", "different", "extra"] as const).flatMap((kind) =>
    changes[kind].map((path) => `${words[kind]}: ${relative(context.cwd, path)}`),
  );
}
