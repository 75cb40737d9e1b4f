import { existsSync, globSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A .proto file that comes with Tercel, so that a project can import it without a registry of modules. */
export interface ShippedProto {
  /** As it is imported: `validate/validate.proto`. */
  readonly name: string;
  readonly path: string;
}

/** Folders with the options and types that services import. Other .proto files of the packages are internal. */
const shippedFolders = ["buf", "google", "tercel", "validate"];

/**
 * Modules with the generated code of shipped files, for `map_imports` of protoc-gen-es: a package contains it, so it is not generated
 * again. The code of other shipped files is generated with the project's.
 */
export const shippedCode: Readonly<Record<string, string>> = {
  "buf/validate/": "@bufbuild/protovalidate/gen",
  "validate/": "@tercel/interceptors/gen",
  "tercel/auth/": "@tercel/interceptors/gen",
  "tercel/errors/": "@tercel/interceptors/gen",
  "tercel/idempotency/": "@tercel/interceptors/gen",
};

let found: ReadonlyMap<string, ShippedProto> | undefined;

/** Returns all shipped files by name. */
export function shippedProtos(): ReadonlyMap<string, ShippedProto> {
  found ??= new Map(
    protoRoots().flatMap((root) =>
      globSync(`{${shippedFolders.join(",")}}/**/*.proto`, { cwd: root }).map((file) => {
        const name = file.replaceAll("\\", "/");
        return [name, { name, path: join(root, file) }];
      }),
    ),
  );
  return found;
}

/** Returns the folder next to the bundle; in the repository, those of the packages. */
function protoRoots(): string[] {
  const own = dirname(fileURLToPath(import.meta.url));
  const bundled = join(own, "proto");
  if (existsSync(bundled)) return [bundled];
  return globSync("../../../*/proto", { cwd: own }).map((root) => join(own, root));
}
