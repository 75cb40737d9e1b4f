import { join } from "node:path";
import { NODE_PEERS_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import type { Subject } from "../subjects.ts";
import type { Session } from "./session.ts";

const TIMEOUT_MS = 20_000;

/** Calls a server the first time that it is met in this run, unless grpc-js is not installed. */
export async function verifyOnce(subject: Subject, server: ServerProcess, session: Session): Promise<void> {
  if (session.verified === undefined || session.verified.has(keyOf(subject))) return;
  await verifyServer(subject, server.port, session.tlsWords);
  session.verified.add(keyOf(subject));
}

/** The same in a process that is not the one to be measured: the calls would leave that with memory to spare, and warm. */
export async function verifyInAnotherProcess(subject: Subject, session: Session): Promise<void> {
  if (session.verified === undefined || session.verified.has(keyOf(subject))) return;
  const server = await startServer(subject.server, MEASURED_CORE);
  try {
    await verifyOnce(subject, server, session);
  } finally {
    await server.stop();
  }
}

/** With what its command line begins with to speak TLS, and whether it is built. */
function keyOf({ server }: Subject): string {
  return server.join(" ");
}

/** Calls every method that the server has once through grpc-js; fails unless all answers are right. */
async function verifyServer({ isCanned, isOlder }: Subject, port: number, tlsWords: readonly string[]): Promise<void> {
  const program = join(NODE_PEERS_FOLDER, "verify.ts");
  const extent = isCanned ? ["canned"] : isOlder ? ["first"] : [];
  const words = [`localhost:${port}`, ...extent];
  try {
    await runCommand(["env", ...tlsWords, process.execPath, program, ...words], { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new Error(`the server does not answer rightly: ${(error as Error).message}`);
  }
}
