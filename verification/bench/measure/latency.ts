import type { LatencyWork } from "../cases.ts";
import { runH2load, runH2loadForTimes, writeBody } from "../process/h2load.ts";
import type { Subject } from "../subjects.ts";
import type { Outcome } from "./interleave.ts";
import { measureEachServer } from "./servers.ts";
import { FIRST_WARM_UP_SECONDS, type Session } from "./session.ts";
import { percentile } from "./statistics.ts";

/**
 * The 99th percentile of the time that calls take at half load: half of what the same server answered just before at full load. Each
 * server is half busy, whatever it can do; one that does more calls in that time is measured at more calls.
 */
export function measureLatency(
  caseName: string,
  work: LatencyWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const bodyFile = writeBody(caseName, work.body);
  return measureEachServer(subjects, session, async ({ port }, round, seconds) => {
    const load = { ...work, port, bodyFile };
    if (round === 0) await runH2load(load, FIRST_WARM_UP_SECONDS);
    const full = await runH2load(load, seconds);
    const times = await runH2loadForTimes(
      { ...load, requestsPerSecond: Math.floor(full.requestsPerSecond / 2) },
      seconds,
    );
    return { value: percentile(times, 99) };
  });
}
