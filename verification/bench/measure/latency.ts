import type { LatencyWork } from "../cases.ts";
import { runH2load, runH2loadForTimes, writeBody } from "../process/h2load.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import type { Subject } from "../subjects.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { FIRST_WARM_UP_SECONDS, reportTurn, type Session } from "./session.ts";
import { percentile } from "./statistics.ts";
import { verifyOnce } from "./verify-server.ts";

/**
 * The 99th percentile of the time that calls take at half load: half of what the same server answered just before at full load. Each
 * server is half busy, whatever it can do; one that does more calls in that time is measured at more calls.
 */
export async function measureLatency(
  caseName: string,
  work: LatencyWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const bodyFile = writeBody(caseName, work.body);
  const servers = new Map<string, ServerProcess>();
  try {
    const byName = new Map(subjects.map((subject) => [subject.name, subject]));
    return await interleave([...byName.keys()], session.rounds, async (name, round) => {
      let server = servers.get(name);
      if (server === undefined) {
        server = await startServer(byName.get(name)?.server ?? [], MEASURED_CORE);
        servers.set(name, server);
        await verifyOnce(name, server, session);
        await runH2load({ ...work, port: server.port, bodyFile }, FIRST_WARM_UP_SECONDS);
      }
      const load = { ...work, port: server.port, bodyFile };
      const full = await runH2load(load, session.seconds);
      const times = await runH2loadForTimes(
        { ...load, requestsPerSecond: Math.floor(full.requestsPerSecond / 2) },
        session.seconds,
      );
      server.assertRunning();
      return reportTurn(session, name, round, { value: percentile(times, 99) });
    });
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}
