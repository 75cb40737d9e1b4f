import { spawn } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CodeGeneratorRequest,
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  CodeGeneratorResponseSchema,
} from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/**
 * Runs a code generator: protoc-gen-es in this process, any other as a child process.
 *
 * @throws CommandFailure when it cannot be started, exits with an error, or reports one
 */
export async function runPlugin(
  program: readonly string[],
  request: CodeGeneratorRequest,
  folder: string,
  context: CommandContext,
): Promise<CodeGeneratorResponse> {
  const [name = ""] = program;
  const isOwn = /(^|\/)protoc-gen-es$/.test(name) && program.length === 1 && writesOnlyTypeScript(request.parameter);
  const response = isOwn ? await runOwnPlugin(request) : await runProgram(program, request, folder, context);
  if (response.error === "") return response;
  // Programs usually start messages with their name.
  const error = response.error.startsWith(`${name}:`) ? response.error : `${name}: ${response.error}`;
  throw new CommandFailure(exitCodes.invalidInput, error);
}

/** Whether a plugin writes only TypeScript: for JavaScript and declarations protoc-gen-es needs a compiler, which is not bundled. */
function writesOnlyTypeScript(parameter: string): boolean {
  const targets = parameter.split(",").filter((option) => option.startsWith("target="));
  return targets.length > 0 && targets.every((target) => target === "target=ts");
}

async function runOwnPlugin(request: CodeGeneratorRequest): Promise<CodeGeneratorResponse> {
  // CommonJS: the bundle has only the default export.
  const { default: plugin } = await import("@bufbuild/protoc-gen-es/dist/cjs/src/protoc-gen-es-plugin.js");
  try {
    return plugin.protocGenEs.run(request);
  } catch (error) {
    return create(CodeGeneratorResponseSchema, { error: (error as Error).message });
  }
}

async function runProgram(
  program: readonly string[],
  request: CodeGeneratorRequest,
  folder: string,
  context: CommandContext,
): Promise<CodeGeneratorResponse> {
  const [name = "", ...args] = program;
  const child = spawn(name, args, {
    cwd: folder,
    env: { ...context.env, PATH: [...binFolders(folder), context.env.PATH ?? ""].join(delimiter) },
    stdio: ["pipe", "pipe", "pipe"],
    signal: context.signal,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // A plugin that exits early does not read its request; its exit code shows the failure.
  child.stdin.on("error", () => {});
  child.stdin.end(toBinary(CodeGeneratorRequestSchema, request));
  try {
    const [code, stdout, stderr] = await Promise.all([ended, buffer(child.stdout), text(child.stderr)]);
    if (code === 0) return fromBinary(CodeGeneratorResponseSchema, stdout);
    return create(CodeGeneratorResponseSchema, { error: stderr.trim() || `exited with code ${code}` });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new CommandFailure(exitCodes.failed, `plugin ${name} of buf.gen.yaml is not installed`, {
      hint: name.startsWith("protoc-gen-es") ? "npm install -D @bufbuild/protoc-gen-es" : undefined,
    });
  }
}

/** Returns the folders of package programs, from the folder up. */
function binFolders(folder: string): string[] {
  const folders: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    folders.push(join(at, "node_modules", ".bin"));
    if (dirname(at) === at) return folders;
  }
}
