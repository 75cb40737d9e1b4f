import { join } from "node:path";
import { NODE_PEERS_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import type { Subject } from "../subjects.ts";
import type { Session } from "./session.ts";

const TIMEOUT_MS = 20_000;

/** Calls a server before its first measurement in this run, if grpc-js is installed. */
export async function verifyOnce(subject: Subject, server: ServerProcess, session: Session): Promise<void> {
  if (session.verified === undefined || session.verified.has(keyOf(subject))) return;
  await verifyServer(subject, server.port, session.tlsWords);
  session.verified.add(keyOf(subject));
}

/** The same in a separate process, because the calls would warm up the measured process and grow its memory. */
export async function verifyInAnotherProcess(subject: Subject, session: Session): Promise<void> {
  if (session.verified === undefined || session.verified.has(keyOf(subject))) return;
  const server = await startServer(subject.server, MEASURED_CORE);
  try {
    await verifyOnce(subject, server, session);
  } finally {
    await server.stop();
  }
}

/** The key of a verified server: its command line, with TLS, and whether it is built. */
function keyOf({ server }: Subject): string {
  return server.join(" ");
}

/** Calls every method of the server once with grpc-js. Fails unless all responses are right. */
async function verifyServer({ isCanned, isOlder }: Subject, port: number, tlsWords: readonly string[]): Promise<void> {
  const program = join(NODE_PEERS_FOLDER, "verify.ts");
  const extent = isCanned ? ["canned"] : isOlder ? ["first"] : [];
  const words = [`localhost:${port}`, ...extent];
  try {
    await runCommand(["env", ...tlsWords, process.execPath, program, ...words], { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new Error(`the server has wrong responses: ${(error as Error).message}`);
  }
}
