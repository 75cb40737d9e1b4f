import type { ClientWork, PairWork } from "../case.ts";
import { type ClientLoad, runClient } from "../process/client-process.ts";
import { LOAD_CORE, MEASURED_CORE } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { startServer } from "../process/server-process.ts";
import { type Subject, TERCEL } from "../subjects.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { reportTurn, type Session } from "./session.ts";
import { verifyInAnotherProcess } from "./verify-server.ts";

/**
 * Measures every client in turn with one fixed server. It is Tercel's, because with a slower one the fastest clients would measure the
 * server. Each client checks its responses.
 */
export async function measureClients(
  work: ClientWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const server = await startServer([...session.tlsWords, ...TERCEL.server], LOAD_CORE);
  const { call: kind, concurrency, size, unitsEach = 1 } = work;
  const load = { target: `localhost:${server.port}`, kind, concurrency, seconds: session.seconds, size };
  try {
    const commands = new Map(subjects.map((subject) => [subject.name, subject.client]));
    return await interleave([...commands.keys()], session.rounds, async (name, round) => {
      let hasAnnounced = false;
      const { done, seconds, cpuMicros } = await runClient(commands.get(name) ?? [], MEASURED_CORE, load, () => {
        hasAnnounced = true;
      });
      // A client of an older checkout would ignore the size and stream messages of 16 bytes.
      if (size !== undefined && !hasAnnounced) throw new Error("the client is too old to stream messages of a size");
      const units = done * unitsEach;
      return reportTurn(session, name, round, { value: units / seconds, cpuMicros: cpuMicros / units });
    });
  } finally {
    await server.stop();
  }
}

/** Every client in turn streams from the server of its framework. Client and server have one core each. */
export function measurePairs(
  work: PairWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const byName = new Map(subjects.map((subject) => [subject.name, subject]));
  return interleave([...byName.keys()], session.rounds, async (name, round) => {
    const subject = byName.get(name) as Subject;
    await verifyInAnotherProcess(subject, session);
    const server = await startServer(subject.server, LOAD_CORE);
    const load: ClientLoad = {
      target: `localhost:${server.port}`,
      kind: "stream",
      concurrency: work.concurrency,
      seconds: session.seconds,
    };
    try {
      let cpuBefore: number | undefined;
      const figures = await runClient(subject.client ?? [], MEASURED_CORE, load, () => {
        cpuBefore = readCpuMicros(server.pid);
      });
      const cpuAfter = readCpuMicros(server.pid);
      if (cpuBefore === undefined) throw new Error("the client did not say when it began to measure");
      server.assertRunning();
      const cpuMicros = (figures.cpuMicros + cpuAfter - cpuBefore) / figures.done;
      return reportTurn(session, name, round, { value: figures.done / figures.seconds, cpuMicros });
    } finally {
      await server.stop();
    }
  });
}
