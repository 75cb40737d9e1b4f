import { join } from "node:path";
import { freePorts } from "@tercel/test-support/servers";
import { BUILD_FOLDER } from "../paths.ts";
import { prepareGrpcGo, prepareGrpcGoMiddleware } from "../prepare.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { GRPC_GO } from "../subjects.ts";

/** A server that is compared with @tercel/service. */
export interface KitSubject {
  readonly name: string;
  /** The features around its calls. */
  readonly has: string;
  /** The command line of its server, without the port. */
  readonly command: (metricsPort: number) => readonly string[];
  prepare(): Promise<void>;
  /** The text in `/metrics` for one successful unary call; undefined for a bare server. */
  readonly countedCall?: RegExp;
  /** Whether it refuses messages of more than 100 characters. */
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

/** A server in its own process, and the URL of its metrics. */
export interface StartedSubject {
  readonly server: ServerProcess;
  readonly metricsPort: number;
}

export async function startSubject(subject: KitSubject): Promise<StartedSubject> {
  await subject.prepare();
  const [metricsPort = 0] = await freePorts(1);
  return { server: await startServer(subject.command(metricsPort), MEASURED_CORE), metricsPort };
}
