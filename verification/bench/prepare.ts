import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  BUILD_FOLDER,
  GRPC_CPP_FOLDER,
  GRPC_GO_FOLDER,
  GRPC_GO_MIDDLEWARE_FOLDER,
  NODE_PEERS_FOLDER,
} from "./paths.ts";
import { runCommand } from "./process/command.ts";

/** Installs the Node.js peers unless what is installed is at least as new as the lock file. */
export async function prepareNodePeers(): Promise<void> {
  // npm writes this file at the end of an installation, so a broken-off one does not count.
  const installedMs = modifiedMs(join(NODE_PEERS_FOLDER, "node_modules/.package-lock.json"));
  const lockedMs = modifiedMs(join(NODE_PEERS_FOLDER, "package-lock.json"));
  if (installedMs !== undefined && lockedMs !== undefined && installedMs >= lockedMs) return;
  await runCommand(["npm", "ci", "--no-audit", "--no-fund"], { cwd: NODE_PEERS_FOLDER });
}

/** Builds grpc-go's server and client; Go itself finds out when nothing has changed. */
export async function prepareGrpcGo(): Promise<void> {
  await runCommand(["go", "build", "-o", `${join(BUILD_FOLDER, "grpc-go")}/`, "./server", "./client"], {
    cwd: GRPC_GO_FOLDER,
  });
}

/** Builds grpc-go's server with go-grpc-middleware. */
export async function prepareGrpcGoMiddleware(): Promise<void> {
  await runCommand(["go", "build", "-o", `${join(BUILD_FOLDER, "grpc-go-middleware")}/`, "./server"], {
    cwd: GRPC_GO_MIDDLEWARE_FOLDER,
  });
}

/** Builds gRPC C++'s server and client; CMake itself finds out when nothing has changed. */
export async function prepareGrpcCpp(): Promise<void> {
  const folder = join(BUILD_FOLDER, "grpc-cpp");
  try {
    await runCommand(["cmake", "-S", GRPC_CPP_FOLDER, "-B", folder]);
    await runCommand(["cmake", "--build", folder, "--parallel", "2"]);
  } catch (error) {
    throw new Error(
      `${(error as Error).message} (Debian's packages g++, cmake, pkg-config, libgrpc++-dev and protobuf-compiler-grpc bring what it needs)`,
    );
  }
}

/** The version of an installed npm package, from its own package.json. */
export function packageVersion(packageFolder: string): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { version: string };
  return version;
}

/** The version of a Go module that a go.mod requires. */
export function requiredGoVersion(goMod: string, module: string): string {
  for (const line of goMod.split("\n")) {
    const [name, version] = line.replace("require ", "").trim().split(" ");
    if (name === module && version !== undefined) return version;
  }
  return "unknown";
}

function modifiedMs(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
