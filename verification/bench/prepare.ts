import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  BUILD_FOLDER,
  CANNED_FOLDER,
  GRPC_CPP_FOLDER,
  GRPC_GO_FOLDER,
  GRPC_GO_MIDDLEWARE_FOLDER,
  GRPC_JAVA_FOLDER,
  NODE_PEERS_FOLDER,
  RUST_FOLDER,
} from "./paths.ts";
import { runCommand } from "./process/command.ts";

/** A first build compiles 70 crates, which takes a minute on an idle core. */
const CARGO_TIMEOUT_MS = 1_800_000;

/** Installs the Node.js peers, unless the installation is at least as new as the lock file. */
export async function prepareNodePeers(): Promise<void> {
  // npm writes this file at the end of an installation, so an interrupted one does not count.
  const installedMs = modifiedMs(join(NODE_PEERS_FOLDER, "node_modules/.package-lock.json"));
  const lockedMs = modifiedMs(join(NODE_PEERS_FOLDER, "package-lock.json"));
  if (installedMs !== undefined && lockedMs !== undefined && installedMs >= lockedMs) return;
  await runCommand(["npm", "ci", "--no-audit", "--no-fund"], { cwd: NODE_PEERS_FOLDER });
}

/** Builds grpc-go's server and client. Go detects when nothing has changed. */
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

/** Builds gRPC C++'s server and client. CMake detects when nothing has changed. */
export async function prepareGrpcCpp(): Promise<void> {
  const folder = join(BUILD_FOLDER, "grpc-cpp");
  try {
    await runCommand(["cmake", "-S", GRPC_CPP_FOLDER, "-B", folder]);
    await runCommand(["cmake", "--build", folder, "--parallel", "2"]);
  } catch (error) {
    throw new Error(
      `${(error as Error).message} (Debian's packages g++, cmake, pkg-config, libgrpc++-dev, libprotobuf-dev and protobuf-compiler-grpc bring what it needs)`,
    );
  }
}

/** Builds gRPC Java's server and client. Maven detects when nothing has changed. */
export async function prepareGrpcJava(): Promise<void> {
  // Maven writes files next to its project file, so its target folder must be elsewhere.
  const build = `-Dbench.build=${join(BUILD_FOLDER, "grpc-java")}`;
  await runCommand(["mvn", "-q", "-B", "-f", join(GRPC_JAVA_FOLDER, "pom.xml"), build, "prepare-package"]);
}

/** Builds tonic's server and client, and hyper's server. cargo detects when nothing has changed. */
export async function prepareRust(): Promise<void> {
  const target = join(BUILD_FOLDER, "rust");
  await runCommand(["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", target], {
    cwd: RUST_FOLDER,
    timeoutMs: CARGO_TIMEOUT_MS,
  });
}

/** Builds the canned responder, which takes a second. */
export async function prepareCanned(): Promise<void> {
  const folder = join(BUILD_FOLDER, "canned");
  mkdirSync(folder, { recursive: true });
  await runCommand(["cc", "-O2", "-Wall", "-Werror", "-o", join(folder, "server"), join(CANNED_FOLDER, "server.c")]);
}

function modifiedMs(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
