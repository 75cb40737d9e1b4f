import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure, usageFailure } from "../frame/failure.ts";
import { bufFailure, buildImage } from "./build-image.ts";
import { exitCodeOf } from "./lint-protos.ts";
import { runBuf } from "./run-buf.ts";
import { openWorkspace, prepareInput, type Workspace } from "./workspace.ts";

export interface BreakingOptions {
  readonly against: string;
}

/** `tercel breaking` */
export async function findBreakingChanges(
  folder: string,
  options: BreakingOptions,
  context: CommandContext,
): Promise<void> {
  const workspace = openWorkspace(resolve(context.cwd, folder));
  const scratch = mkdtempSync(join(tmpdir(), "tercel-against-"));
  const input = prepareInput(workspace);
  try {
    const against = await earlierImage(workspace, options.against, scratch, context);
    const args = ["breaking", input.folder, "--against", `${against}#format=binpb`, "--error-format", "json"];
    const result = await runBuf(args, workspace.folder, context);
    if (result.exitCode !== 0)
      throw bufFailure("breaking changes", result, { input, workspace, context }, exitCodeOf(result));
  } finally {
    input.dispose();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Returns the path of the compiled earlier state: the file itself, or one built from Git. */
async function earlierImage(
  workspace: Workspace,
  against: string,
  scratch: string,
  context: CommandContext,
): Promise<string> {
  const file = resolve(context.cwd, against);
  if (existsSync(file)) return file;
  const earlier = join(scratch, "earlier");
  mkdirSync(earlier);
  checkOut(workspace.folder, against, earlier);
  const { files } = await buildImage(openWorkspace(earlier), context).catch((error: unknown) => {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(exitCodes.invalidInput, `${against} of --against does not compile: ${error.message}`, {
      cause: error,
    });
  });
  const image = join(scratch, "earlier.binpb");
  writeFileSync(image, toBinary(FileDescriptorSetSchema, files));
  return image;
}

/** Writes a folder as it was in a commit, without touching the working tree. */
function checkOut(folder: string, ref: string, into: string): void {
  const git = (args: readonly string[]): Buffer =>
    execFileSync("git", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 30 });
  let archive: Buffer;
  try {
    const top = git(["rev-parse", "--show-toplevel"]).toString("utf8").trim();
    const commit = git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`])
      .toString("utf8")
      .trim();
    const inside = relative(top, folder).replaceAll("\\", "/");
    archive = execFileSync("git", ["archive", "--format=tar", `${commit}:${inside}`], {
      cwd: top,
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString("utf8").trim();
    throw usageFailure(
      `invalid --against ${JSON.stringify(ref)}: neither a file nor a commit that contains ${folder}${said ? ` (git: ${said})` : ""}`,
      "use a branch, a tag or a commit, such as main",
    );
  }
  execFileSync("tar", ["-x", "-C", into], { input: archive });
}
