// Compiles library.proto as a user's project does: by buf, with the options that come with the packages.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const packages = join(import.meta.dirname, "../../..");
const buf = join(packages, "../node_modules/.bin/buf");

export function compileLibrary(): FileRegistry {
  const folder = mkdtempSync(join(tmpdir(), "tercel-errors-"));
  try {
    writeFileSync(join(folder, "buf.yaml"), "version: v2\nmodules:\n  - path: proto\n");
    const proto = join(folder, "proto");
    for (const name of ["interceptors", "gateway"]) cpSync(join(packages, name, "proto"), proto, { recursive: true });
    cpSync(join(import.meta.dirname, "library.proto"), join(proto, "library/v1/library.proto"));
    execFileSync(buf, ["build", "-o", "set.binpb"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, "set.binpb"))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
