import { setTimeout as sleep } from "node:timers/promises";
import type { IdleWork } from "../case.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { readResidentBytes } from "../process/process-usage.ts";
import { startServer } from "../process/server-process.ts";
import type { Subject } from "../subjects.ts";
import { type IdleConnections, openIdleConnections } from "../wire/idle-connections.ts";
import { interleave, type Outcome } from "./interleave.ts";
import { reportTurn, type Session } from "./session.ts";
import { verifyInAnotherProcess } from "./verify-server.ts";

/**
 * Connections that are opened before the first reading and stay open, so that one-time growth does not count: code and tables that the first
 * connection loads, the young generation of the heap, read buffers.
 */
const FIRST_CONNECTIONS = 500;
/** The time after which a server has finished its work for new connections, and its memory is stable. */
const SETTLE_MS = 500;

/** Measures the resident memory of each further idle connection of a server. */
export function measureIdleConnections(
  work: IdleWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const calls = { each: work.callsEach, path: "/bench.echo.v1.EchoService/Unary", isEnded: true } as const;
  return measureGrowth(work.connections, subjects, session, {
    first: (port) => openIdleConnections(port, FIRST_CONNECTIONS, calls),
    counted: (port) => openIdleConnections(port, work.connections, calls),
  });
}

/** Measures the growth of a server's resident memory for each of `count` connections or streams, in a new process per round. */
export function measureGrowth(
  count: number,
  subjects: readonly Subject[],
  session: Session,
  open: Record<"first" | "counted", (port: number) => Promise<IdleConnections>>,
): Promise<Map<string, Outcome>> {
  const byName = new Map(subjects.map((subject) => [subject.name, subject]));
  return interleave([...byName.keys()], session.rounds, async (name, round) => {
    const subject = byName.get(name) as Subject;
    await verifyInAnotherProcess(subject, session);
    const server = await startServer(subject.server, MEASURED_CORE);
    try {
      const first = await open.first(server.port);
      await sleep(SETTLE_MS);
      const before = readResidentBytes(server.pid);
      const idle = await open.counted(server.port);
      await sleep(SETTLE_MS);
      server.assertRunning();
      const value = (readResidentBytes(server.pid) - before) / count;
      idle.close();
      first.close();
      if (value <= 0) throw new Error(`what was opened ${count} times did not make the server's memory grow`);
      return reportTurn(session, name, round, { value });
    } finally {
      await server.stop();
    }
  });
}
