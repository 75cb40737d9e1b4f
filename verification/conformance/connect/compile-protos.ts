import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version of the suite. Its binary and its protos must have the same version. */
export const suiteVersion = "v1.0.7";

const moduleName = "connectrpc.com/conformance";
export const installCommand = `go install ${moduleName}/cmd/connectconformance@${suiteVersion}`;

/**
 * Compiles the suite's protos into a descriptor set, once per version, and returns its file. The protos come from Go's
 * module cache, where the installation of the suite put them. They import only Google's well-known types.
 */
export function compileProtos(root: string): string {
  const file = join(root, ".cache", "conformance", `connect-${suiteVersion}.binpb`);
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const description = execFileSync("go", ["mod", "download", "-json", `${moduleName}@${suiteVersion}`], {
    encoding: "utf8",
  });
  const { Dir } = JSON.parse(description) as { Dir: string };
  // Renamed into place, so that an interrupted run leaves no incomplete file.
  const partial = `${file}.${process.pid}.binpb`;
  execFileSync(join(root, "node_modules", ".bin", "buf"), ["build", join(Dir, "proto"), "-o", partial], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  renameSync(partial, file);
  return file;
}
