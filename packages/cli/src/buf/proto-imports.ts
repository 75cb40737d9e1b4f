import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ShippedProto, shippedProtos } from "./shipped-protos.ts";

/** Returns the .proto files below a folder, as paths relative to it. */
export function protoFilesIn(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return globSync("**/*.proto", { cwd: folder, exclude: (name) => name.endsWith("node_modules") })
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
}

/**
 * Returns the shipped files that files in the folders import and the folders do not contain, with their own imports.
 *
 * @param only absolute paths of the files to consider, with their imports. Default: all files, which may be thousands
 */
export function neededShippedProtos(folders: readonly string[], only: readonly string[] = []): ShippedProto[] {
  const starts =
    only.length > 0 ? only : folders.flatMap((folder) => protoFilesIn(folder).map((file) => join(folder, file)));
  const pending = starts.flatMap((path) => importsOf(readFileSync(path, "utf8")));
  const seen = new Set<string>();
  const needed: ShippedProto[] = [];
  for (const name of pending) {
    if (seen.has(name)) continue;
    seen.add(name);
    const own = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    const shipped = own === undefined ? shippedProtos().get(name) : undefined;
    const path = own ?? shipped?.path;
    if (path !== undefined) pending.push(...importsOf(readFileSync(path, "utf8")));
    if (shipped !== undefined) needed.push(shipped);
  }
  return needed;
}

function importsOf(proto: string): string[] {
  return [...proto.matchAll(/^[ \t]*import\s+(?:public\s+|weak\s+|option\s+)?"([^"]+)"\s*;/gm)].map(
    ([, name = ""]) => name,
  );
}
