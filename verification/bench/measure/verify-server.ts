import { join } from "node:path";
import { NODE_PEERS_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import type { ServerProcess } from "../process/server-process.ts";
import type { Session } from "./session.ts";

const TIMEOUT_MS = 20_000;

/** Calls a server the first time that it is met in this run, unless grpc-js is not installed. */
export async function verifyOnce(name: string, server: ServerProcess, session: Session): Promise<void> {
  const key = [...session.tlsWords, name].join(" ");
  if (session.verified === undefined || session.verified.has(key)) return;
  await verifyServer(server.port, session.tlsWords);
  session.verified.add(key);
}

/** Calls every method of the server once through grpc-js; fails unless all answers are right. */
async function verifyServer(port: number, tlsWords: readonly string[]): Promise<void> {
  const program = join(NODE_PEERS_FOLDER, "verify.ts");
  const target = `localhost:${port}`;
  try {
    await runCommand(["env", ...tlsWords, process.execPath, program, target], { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new Error(`the server does not answer rightly: ${(error as Error).message}`);
  }
}
