import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { formatProblem, parseProblems } from "./problems.ts";
import { type BufResult, runBuf } from "./run-buf.ts";
import type { ShippedProto } from "./shipped-protos.ts";
import { type PreparedInput, prepareInput, reportedPath, type Workspace } from "./workspace.ts";

/** Compiled .proto files. */
export interface ProtoImage {
  /** With their imports, and with comments. */
  readonly files: FileDescriptorSet;
  readonly shipped: readonly ShippedProto[];
}

/** Lines after these are cut off: later errors mostly follow from the first ones. */
const maxShownProblems = 20;

/**
 * Compiles a workspace.
 *
 * @param only absolute paths of the files to compile, with their imports. Default: all files
 * @throws CommandFailure with exit code 4 and the location of each error
 */
export async function buildImage(
  workspace: Workspace,
  context: CommandContext,
  only: readonly string[] = [],
): Promise<ProtoImage> {
  const input = prepareInput(workspace, only);
  try {
    const paths = only.flatMap((path) => ["--path", join(input.prefix, relative(workspace.folder, path))]);
    const args = ["build", input.folder, "--error-format", "json", "-o", "-#format=binpb", ...paths];
    const result = await runBuf(args, workspace.folder, context);
    if (result.exitCode !== 0) throw bufFailure("does not compile", result, { input, workspace, context });
    return { files: readImage(result.stdout), shipped: input.shipped };
  } finally {
    input.dispose();
  }
}

/** Reads an image without buf's own extension fields, which neither plugins nor descriptor files expect. */
function readImage(bytes: Uint8Array): FileDescriptorSet {
  const files = fromBinary(FileDescriptorSetSchema, bytes);
  for (const file of files.file) {
    if (file.$unknown !== undefined) file.$unknown = file.$unknown.filter(({ no }) => no !== bufExtension);
  }
  return files;
}

const bufExtension = 8042;

/** The input of a run of buf. */
export interface BufRun {
  readonly input: PreparedInput;
  readonly workspace: Workspace;
  readonly context: CommandContext;
}

/** Returns the problems that buf found, one per line. The first is the message. */
export function bufFailure(
  what: string,
  { stdout, stderr }: BufResult,
  run: BufRun,
  exitCode: number = exitCodes.invalidInput,
): CommandFailure {
  const { problems, rest } = parseProblems(`${stdout.toString("utf8")}\n${stderr}`);
  const lines = problems.map((problem) => {
    const { workspace, input, context } = run;
    const path = reportedPath(problem.path, input, workspace, context.cwd);
    return formatProblem(
      { ...problem, path },
      workspace.moduleFolders,
      readSource(resolve(workspace.folder, problem.path)),
    );
  });
  const [first, ...others] = lines;
  if (first === undefined) {
    return new CommandFailure(exitCodes.failed, `buf failed: ${rest.trim() || "no output"}`, {
      hint: hintFor(rest),
    });
  }
  const shown = others.slice(0, maxShownProblems - 1);
  const more = others.length - shown.length;
  return new CommandFailure(exitCode, first, {
    lines: more > 0 ? [...shown, `and ${more} more`] : shown,
    json: { problems: lines, reason: what },
  });
}

function hintFor(rest: string): string | undefined {
  return /buf\.build|dial tcp|no such host/.test(rest)
    ? "buf.yaml has dependencies that are not downloaded: run buf dep update"
    : undefined;
}

function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Whether a file of the image is in the folder. */
export function isBelow(path: string, folder: string): boolean {
  const inside = relative(folder, path);
  return inside === "" || !(inside.startsWith("..") || resolve(inside) === inside);
}
