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

/** More lines than this are cut off: the first mistakes make the later ones. */
const maxShownProblems = 20;

/**
 * Compiles a workspace.
 *
 * @param only absolute paths of the files to compile with what they import; everything without
 * @throws CommandFailure with exit code 4 that says where each mistake is
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

/** buf's own notes, which its images hold in a field of their own, are not for plugins and not for files. */
function readImage(bytes: Uint8Array): FileDescriptorSet {
  const files = fromBinary(FileDescriptorSetSchema, bytes);
  for (const file of files.file) {
    if (file.$unknown !== undefined) file.$unknown = file.$unknown.filter(({ no }) => no !== bufExtension);
  }
  return files;
}

const bufExtension = 8042;

/** What buf was run on. */
export interface BufRun {
  readonly input: PreparedInput;
  readonly workspace: Workspace;
  readonly context: CommandContext;
}

/** The problems that buf found, one in a line. The first is the message. */
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
    return new CommandFailure(exitCodes.failed, `buf failed: ${rest.trim() || "it printed nothing"}`, {
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
    ? "buf.yaml has dependencies that buf has to fetch: run buf dep update"
    : undefined;
}

function readSource(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** True when a file of the image is one of the folder's. */
export function isBelow(path: string, folder: string): boolean {
  const inside = relative(folder, path);
  return inside === "" || !(inside.startsWith("..") || resolve(inside) === inside);
}
