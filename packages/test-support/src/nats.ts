import { findProgram } from "./find-program.ts";
import { freePorts } from "./free-ports.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

const program = findProgram("nats-server");

/** The reason to skip tests that need NATS; false if it is installed. */
export const withoutNats: string | false = program === undefined && "NATS is not installed; .ci/run installs it";

/** A NATS server with JetStream for one test. */
export interface NatsServer extends ServerProcess {
  /** Port on 127.0.0.1. */
  readonly port: number;
}

/** @param options further command line options, such as `--user` */
export async function createNatsServer(options: readonly string[] = []): Promise<NatsServer> {
  const [port = 0] = await freePorts(1);
  const server = createServerProcess((folder) => ({
    program: program ?? "nats-server",
    args: ["--addr", "127.0.0.1", "--port", String(port), "--jetstream", "--store_dir", folder, ...options],
    readyTexts: ["Server is ready"],
  }));
  return { ...server, port };
}
