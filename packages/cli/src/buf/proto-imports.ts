import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ShippedProto, shippedProtos } from "./shipped-protos.ts";

/** The .proto files below a folder, by their path in it. */
export function protoFilesIn(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  return globSync("**/*.proto", { cwd: folder, exclude: (name) => name.endsWith("node_modules") })
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
}

/** The shipped files that files in the folders import and the folders do not have, with what those import in turn. */
export function neededShippedProtos(folders: readonly string[]): ShippedProto[] {
  const own = new Set<string>();
  const pending: string[] = [];
  for (const folder of folders) {
    for (const file of protoFilesIn(folder)) {
      own.add(file);
      pending.push(...importsOf(readFileSync(join(folder, file), "utf8")));
    }
  }
  const needed = new Map<string, ShippedProto>();
  for (const name of pending) {
    const shipped = own.has(name) || needed.has(name) ? undefined : shippedProtos().get(name);
    if (shipped === undefined) continue;
    needed.set(name, shipped);
    pending.push(...importsOf(readFileSync(shipped.path, "utf8")));
  }
  return [...needed.values()];
}

function importsOf(proto: string): string[] {
  return [...proto.matchAll(/^[ \t]*import\s+(?:public\s+|weak\s+|option\s+)?"([^"]+)"\s*;/gm)].map(
    ([, name = ""]) => name,
  );
}
