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
 * Compiles the .proto files of `--proto` into a serialized FileDescriptorSet with their imports. Imports are resolved in the folders of
 * `-I`; without `-I`, in the workspace of the nearest buf.yaml, else in the folder of the file.
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
      throw usageFailure(`${outside} is outside of ${workspace.folder}: name the import folders with -I`);
    return serialize(await buildImage(workspace, context, paths));
  }

  // buf requires all modules to be below one folder.
  const linked = mkdtempSync(join(tmpdir(), "tercel-imports-"));
  try {
    const links = folders.map((folder, at) => ({ folder, link: `i${at}` }));
    for (const { folder, link } of links) symlinkSync(folder, join(linked, link), "dir");
    const only = paths.map((path) => {
      const found = links.find(({ folder }) => isBelow(path, folder));
      if (found === undefined) throw usageFailure(`${path} is not in a folder of -I`);
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

/** Finds a file as protoc does: in the working folder, else in the folders of `-I`. */
function findProto(file: string, folders: readonly string[], cwd: string): string {
  const found = [cwd, ...folders].map((folder) => resolve(folder, file)).find((path) => existsSync(path));
  if (found === undefined) throw usageFailure(`cannot read --proto ${file}: no such file`);
  return found;
}
