import { findProgram } from "./find-program.ts";
import { freePorts } from "./free-ports.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

const program = findProgram("nats-server");

/** Why tests that need NATS are skipped here, or false where they are not. */
export const withoutNats: string | false = program === undefined && "NATS is not installed; .ci/run installs it";

/** A NATS server of the test's own, with JetStream. */
export interface NatsServer extends ServerProcess {
  /** On 127.0.0.1. */
  readonly port: number;
}

/** @param options further ones of the command line, `--user` for example */
export async function createNatsServer(options: readonly string[] = []): Promise<NatsServer> {
  const [port = 0] = await freePorts(1);
  const server = createServerProcess((folder) => ({
    program: program ?? "nats-server",
    args: ["--addr", "127.0.0.1", "--port", String(port), "--jetstream", "--store_dir", folder, ...options],
    readyTexts: ["Server is ready"],
  }));
  return { ...server, port };
}
