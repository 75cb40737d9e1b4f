import { join } from "node:path";
import { freePorts } from "@tercel/test-support/servers";
import { BUILD_FOLDER } from "../paths.ts";
import { prepareGrpcGo, prepareGrpcGoMiddleware } from "../prepare.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { GRPC_GO } from "../subjects.ts";

/** A server that is measured next to the kit. */
export interface KitSubject {
  readonly name: string;
  /** What it has around its calls. */
  readonly has: string;
  /** Command line of its server; the port is appended. */
  readonly command: (metricsPort: number) => readonly string[];
  prepare(): Promise<void>;
  /** What `/metrics` shows of one unary call that ended well; undefined for a server without anything around its calls. */
  readonly countedCall?: RegExp;
  /** It refuses messages of more than 100 characters. */
  readonly validates?: true;
}

const node = [process.execPath, "--conditions=source"];
const goServer = join(BUILD_FOLDER, "grpc-go-middleware/server");
const goCounted = /^grpc_server_handled_total\{grpc_code="OK",grpc_method="Unary",.*\} 1$/m;
const nothing = async (): Promise<void> => {};

export const kitSubjects: readonly KitSubject[] = [
  {
    name: "bare",
    has: "nothing",
    command: () => [...node, join(import.meta.dirname, "../interceptors/server.ts"), "bare"],
    prepare: nothing,
  },
  {
    name: "kit",
    has: "recovery, log, metrics, tokens; request id, traces, deadline, load shedding, validation",
    command: (metricsPort) => [...node, join(import.meta.dirname, "service.ts"), String(metricsPort)],
    prepare: nothing,
    countedCall: /^grpc_server_requests_total\{.*method="Unary",status="OK"\} 1$/m,
    validates: true,
  },
  { name: "grpc-go", has: "nothing", command: () => GRPC_GO.server, prepare: prepareGrpcGo },
  {
    name: "go-middleware",
    has: "recovery, log, metrics, tokens",
    command: (metricsPort) => [goServer, "verify", String(metricsPort)],
    prepare: prepareGrpcGoMiddleware,
    countedCall: goCounted,
  },
  {
    name: "go-middleware-kept",
    has: "the same; remembers tokens that it has verified, as the kit does",
    command: (metricsPort) => [goServer, "keep", String(metricsPort)],
    prepare: prepareGrpcGoMiddleware,
    countedCall: goCounted,
  },
];

/** A server in a process of its own, and where its metrics are. */
export interface StartedSubject {
  readonly server: ServerProcess;
  readonly metricsPort: number;
}

export async function startSubject(subject: KitSubject): Promise<StartedSubject> {
  await subject.prepare();
  const [metricsPort = 0] = await freePorts(1);
  return { server: await startServer(subject.command(metricsPort), MEASURED_CORE), metricsPort };
}
