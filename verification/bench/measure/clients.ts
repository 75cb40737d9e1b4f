import type { ClientWork } from "../cases.ts";
import { runClient } from "../process/client-process.ts";
import { LOAD_CORE, MEASURED_CORE } from "../process/pinned.ts";
import { startServer } from "../process/server-process.ts";
import { type Subject, TERCEL } from "../subjects.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { reportTurn, type Session } from "./session.ts";

/**
 * Every client in turn calls the one fixed server: ours, because with any other the fastest clients would only measure that
 * server. Each of them checks its own answers.
 */
export async function measureClients(
  work: ClientWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const server = await startServer([...session.tlsWords, ...TERCEL.server], LOAD_CORE);
  try {
    const commands = new Map(subjects.map((subject) => [subject.name, subject.client]));
    return await interleave([...commands.keys()], session.rounds, async (name, round) => {
      const { done, seconds, cpuMicros } = await runClient(commands.get(name) ?? [], MEASURED_CORE, {
        target: `localhost:${server.port}`,
        kind: work.call,
        concurrency: work.concurrency,
        seconds: session.seconds,
      });
      return reportTurn(session, name, round, { value: done / seconds, cpuMicros: cpuMicros / done });
    });
  } finally {
    await server.stop();
  }
}
