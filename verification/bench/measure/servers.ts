import type { ClientStreamWork, H2loadWork } from "../case.ts";
import { runClient } from "../process/client-process.ts";
import { writeBody } from "../process/h2load.ts";
import { LOAD_CORE, MEASURED_CORE } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { GRPC_GO, type Subject } from "../subjects.ts";
import { runCounted, warmUp } from "./counted-load.ts";
import { interleave, type Outcome, type Turn } from "./interleave.ts";
import { FIRST_WARM_UP_SECONDS, reportTurn, type Session, WARM_UP_SECONDS } from "./session.ts";
import { verifyInAnotherProcess, verifyOnce } from "./verify-server.ts";

export type MeasureServer = (server: ServerProcess, round: number, seconds: number) => Promise<Turn>;

export function measureServers(
  caseName: string,
  work: H2loadWork | ClientStreamWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const measure = work.kind === "h2load" ? h2loadMeasure(caseName, work, session) : clientStreamMeasure(work);
  const isCold = work.kind === "h2load" && work.coldWarmUpSeconds !== undefined;
  return isCold ? measureFreshServers(subjects, session, measure) : measureEachServer(subjects, session, measure);
}

/** A new process for each measurement. */
function measureFreshServers(
  subjects: readonly Subject[],
  session: Session,
  measure: MeasureServer,
): Promise<Map<string, Outcome>> {
  const byName = new Map(subjects.map((subject) => [subject.name, subject]));
  return interleave([...byName.keys()], session.rounds, async (name, round) => {
    const subject = byName.get(name) as Subject;
    await verifyInAnotherProcess(subject, session);
    const server = await startServer(subject.server, MEASURED_CORE);
    try {
      const turn = await measure(server, round, session.seconds);
      server.assertRunning();
      return reportTurn(session, name, round, turn);
    } finally {
      await server.stop();
    }
  });
}

/**
 * All servers of a case run from its beginning to its end, so that servers with a JIT compiler are warm in every round
 * after the first. Servers are idle while others are measured.
 */
export async function measureEachServer(
  subjects: readonly Subject[],
  session: Session,
  measure: MeasureServer,
): Promise<Map<string, Outcome>> {
  const servers = new Map<string, ServerProcess>();
  try {
    const byName = new Map(subjects.map((subject) => [subject.name, subject]));
    return await interleave([...byName.keys()], session.rounds, async (name, round) => {
      let server = servers.get(name);
      if (server === undefined) {
        server = await startServer(byName.get(name)?.server ?? [], MEASURED_CORE);
        servers.set(name, server);
        await verifyOnce(byName.get(name) as Subject, server, session);
      }
      const turn = await measure(server, round, session.seconds);
      server.assertRunning();
      return reportTurn(session, name, round, turn);
    });
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}

function h2loadMeasure(caseName: string, work: H2loadWork, session: Session): MeasureServer {
  const bodyFile = writeBody(caseName, work.body);
  const isTls = session.tlsWords.length > 0;
  return async ({ pid, port }, round, seconds) => {
    const load = { ...work, port, bodyFile, isTls };
    const rate = await warmUp(load, work.coldWarmUpSeconds ?? (round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS));
    // A separate run for the warm-up, so that the CPU time between these two readings is that of the counted requests.
    const cpuBefore = readCpuMicros(pid);
    const figures = await runCounted(load, rate, seconds);
    const cpuMicros = readCpuMicros(pid) - cpuBefore;
    return {
      value: figures.requestsPerSecond * work.unitsPerRequest,
      cpuMicros: cpuMicros / (figures.succeeded * work.unitsPerRequest),
    };
  };
}

function clientStreamMeasure(work: ClientStreamWork): MeasureServer {
  return async ({ pid, port }, _round, seconds) => {
    let cpuBefore: number | undefined;
    const load = { target: `127.0.0.1:${port}`, kind: "client-stream", concurrency: work.streams, seconds } as const;
    const figures = await runClient(GRPC_GO.client, LOAD_CORE, load, () => {
      cpuBefore = readCpuMicros(pid);
    });
    const cpuAfter = readCpuMicros(pid);
    if (cpuBefore === undefined) throw new Error("the client did not say when it began to measure");
    return { value: figures.done / figures.seconds, cpuMicros: (cpuAfter - cpuBefore) / figures.done };
  };
}
