import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  BUILD_FOLDER,
  GRPC_GO_FOLDER,
  GRPC_JAVA_FOLDER,
  NODE_PEERS_FOLDER,
  ROOT_FOLDER,
  RUST_FOLDER,
  TERCEL_FOLDER,
} from "./paths.ts";
import {
  prepareCanned,
  prepareGrpcCpp,
  prepareGrpcGo,
  prepareGrpcJava,
  prepareNodePeers,
  prepareRust,
} from "./prepare.ts";
import { runCommand } from "./process/command.ts";
import { lockedCrateVersion, packageVersion, pomProperty, requiredGoVersion } from "./versions.ts";

/** A measured framework. */
export interface Subject {
  name: string;
  /** The command line of its server, without the port. */
  server: readonly string[];
  /** The command line of its client, without target, kind, concurrency, seconds and stream. Undefined for servers only. */
  client?: readonly string[];
  /** Installs or builds missing parts. Fails with the reason if that is impossible. */
  prepare(): Promise<void>;
  /** Whether it can serve TLS, as set in its environment. */
  speaksTls?: true;
  /** Whether it responds to every call with the same bytes. It is not a real server, but an upper limit. */
  isCanned?: true;
  /** Whether it may be older than a method of the service. */
  isOlder?: true;
  /** Its version, after the preparation. */
  version(): string | Promise<string>;
}

/** The subject of all ratios. It runs from its sources, as in development, because V8 compiles the same code. */
export const TERCEL: Subject = {
  name: "tercel",
  server: [process.execPath, "--conditions=source", join(TERCEL_FOLDER, "server.ts")],
  client: [process.execPath, "--conditions=source", join(TERCEL_FOLDER, "client.ts")],
  prepare: async () => {},
  speaksTls: true,
  version: () => packageVersion(join(ROOT_FOLDER, "packages/grpc")),
};

/** Also the fixed client of server/client-stream, because it is the fastest client of the peers. */
export const GRPC_GO: Subject & { readonly client: readonly string[] } = {
  name: "grpc-go",
  server: [join(BUILD_FOLDER, "grpc-go/server")],
  client: [join(BUILD_FOLDER, "grpc-go/client")],
  prepare: prepareGrpcGo,
  speaksTls: true,
  version: () => requiredGoVersion(readFileSync(join(GRPC_GO_FOLDER, "go.mod"), "utf8"), "google.golang.org/grpc"),
};

const GRPC_CPP: Subject = {
  name: "grpc-cpp",
  server: [join(BUILD_FOLDER, "grpc-cpp/server")],
  client: [join(BUILD_FOLDER, "grpc-cpp/client")],
  prepare: prepareGrpcCpp,
  version: async () => (await runCommand(["pkg-config", "--modversion", "grpc++"])).trim(),
};

const TONIC: Subject = {
  name: "tonic",
  server: [join(BUILD_FOLDER, "rust/release/tonic-server")],
  client: [join(BUILD_FOLDER, "rust/release/tonic-client")],
  prepare: prepareRust,
  version: () => lockedCrateVersion(cargoLock(), "tonic"),
};

/** The HTTP/2 library of tonic, without a framework. */
const HYPER: Subject = {
  name: "hyper",
  server: [join(BUILD_FOLDER, "rust/release/hyper-server")],
  prepare: prepareRust,
  version: () => lockedCrateVersion(cargoLock(), "hyper"),
};

const javaPrograms = join(BUILD_FOLDER, "grpc-java");
const java = ["java", "-cp", `${join(javaPrograms, "classes")}:${join(javaPrograms, "lib/*")}`];

const GRPC_JAVA: Subject = {
  name: "grpc-java",
  server: [...java, "dev.tercel.bench.Server"],
  client: [...java, "dev.tercel.bench.Client"],
  prepare: prepareGrpcJava,
  version: () => pomProperty(readFileSync(join(GRPC_JAVA_FOLDER, "pom.xml"), "utf8"), "grpc.version"),
};

const CANNED: Subject = {
  name: "canned",
  server: [join(BUILD_FOLDER, "canned/server")],
  prepare: prepareCanned,
  isCanned: true,
  version: async () => `by cc ${(await runCommand(["cc", "-dumpfullversion"])).trim()}`,
};

function cargoLock(): string {
  return readFileSync(join(RUST_FOLDER, "Cargo.lock"), "utf8");
}

function nodePeer(name: string, packageName: string, tls: { speaksTls?: true } = {}): Subject {
  return {
    name,
    server: [process.execPath, join(NODE_PEERS_FOLDER, name, "server.ts")],
    client: [process.execPath, join(NODE_PEERS_FOLDER, name, "client.ts")],
    prepare: prepareNodePeers,
    ...tls,
    version: () => packageVersion(join(NODE_PEERS_FOLDER, "node_modules", packageName)),
  };
}

/** All peers, in the order of measurement and output. */
export const PEERS: readonly Subject[] = [
  nodePeer("grpc-js", "@grpc/grpc-js", { speaksTls: true }),
  nodePeer("connect-node", "@connectrpc/connect-node"),
  nodePeer("nice-grpc", "nice-grpc"),
  GRPC_GO,
  GRPC_CPP,
  GRPC_JAVA,
  TONIC,
  HYPER,
  CANNED,
];
