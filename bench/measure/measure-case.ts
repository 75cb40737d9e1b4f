import type { BenchCase } from "../cases.ts";
import type { Subject } from "../subjects.ts";
import { measureClients } from "./clients.ts";
import { measureIdleConnections } from "./idle-connections.ts";
import type { Outcome } from "./interleave.ts";
import { measurePicks } from "./picks.ts";
import { measureServers } from "./servers.ts";
import type { Session } from "./session.ts";

/** Measures one case of all subjects, interleaved. A subject that fails has the reason in its place. */
export function measureCase(
  benchCase: BenchCase,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const { work } = benchCase;
  switch (work.kind) {
    case "h2load":
    case "client-stream":
      return measureServers(benchCase.name, work, subjects, session);
    case "client":
      return measureClients(work, subjects, session);
    case "pick":
      return measurePicks(work, session);
    case "idle":
      return measureIdleConnections(work, subjects, session);
  }
}
