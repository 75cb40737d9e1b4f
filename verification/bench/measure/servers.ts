import type { ClientStreamWork, H2loadWork } from "../cases.ts";
import { runClient } from "../process/client-process.ts";
import { runH2load, writeBody } from "../process/h2load.ts";
import { LOAD_CORE, MEASURED_CORE } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { GRPC_GO, type Subject } from "../subjects.ts";
import { interleave, type Outcome, type Turn } from "./interleave.ts";
import { FIRST_WARM_UP_SECONDS, reportTurn, type Session, WARM_UP_SECONDS } from "./session.ts";
import { verifyOnce } from "./verify-server.ts";

export type MeasureServer = (server: ServerProcess, round: number, seconds: number) => Promise<Turn>;

export function measureServers(
  caseName: string,
  work: H2loadWork | ClientStreamWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const measure = work.kind === "h2load" ? h2loadMeasure(caseName, work, session) : clientStreamMeasure(work);
  return measureEachServer(subjects, session, measure);
}

/**
 * All servers of a case run from its beginning to its end, so that one that compiles as it goes is warm in every round
 * after the first; those whose turn it is not do nothing.
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
        await verifyOnce(name, server, session);
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
    await runH2load(load, round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS);
    // A run of its own for the warm-up, so that the CPU time between these two readings belongs to counted requests.
    const cpuBefore = readCpuMicros(pid);
    const figures = await runH2load(load, seconds);
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
