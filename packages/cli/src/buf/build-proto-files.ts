import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { buildImage, isBelow } from "./build-image.ts";
import { openWorkspace } from "./workspace.ts";

/**
 * Compiles single .proto files for `--proto`, as a serialized FileDescriptorSet with all that they import. Imports are looked for in
 * the folders of `-I`; without any, in the workspace of the nearest buf.yaml, and where there is none, in the folder of the file.
 *
 * @throws CommandFailure when a file does not exist or does not compile
 */
export async function buildProtoFiles(
  files: readonly string[],
  importPaths: readonly string[],
  context: CommandContext,
): Promise<Uint8Array> {
  const folders = importPaths.map((path) => resolve(context.cwd, path));
  const paths = files.map((file) => findProto(file, folders, context.cwd));
  if (folders.length === 0) {
    const workspace = openWorkspace(dirname(paths[0] as string));
    const outside = paths.find((path) => !workspace.moduleFolders.some((folder) => isBelow(path, folder)));
    if (outside !== undefined)
      throw usageFailure(`${outside} is outside of ${workspace.folder}: say with -I where files are looked for`);
    return serialize(await buildImage(workspace, context, paths));
  }

  // buf wants its modules below one folder.
  const linked = mkdtempSync(join(tmpdir(), "tercel-imports-"));
  try {
    const links = folders.map((folder, at) => ({ folder, link: `i${at}` }));
    for (const { folder, link } of links) symlinkSync(folder, join(linked, link), "dir");
    const only = paths.map((path) => {
      const found = links.find(({ folder }) => isBelow(path, folder));
      if (found === undefined) throw usageFailure(`${path} is in none of the folders of -I`);
      return join(linked, found.link, relative(found.folder, path));
    });
    const config = { version: "v2" as const, modules: links.map(({ link }) => ({ path: link })) };
    return serialize(await buildImage({ folder: linked, moduleFolders: folders, config }, context, only));
  } finally {
    rmSync(linked, { recursive: true, force: true });
  }
}

function serialize({ files }: Awaited<ReturnType<typeof buildImage>>): Uint8Array {
  return toBinary(FileDescriptorSetSchema, files);
}

/** As protoc does it: from the working folder, else from the folders of `-I`. */
function findProto(file: string, folders: readonly string[], cwd: string): string {
  const found = [cwd, ...folders].map((folder) => resolve(folder, file)).find((path) => existsSync(path));
  if (found === undefined) throw usageFailure(`cannot read ${file} of --proto: no such file`);
  return found;
}
