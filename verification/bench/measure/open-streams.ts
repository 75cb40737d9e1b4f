import type { OpenStreamsWork } from "../case.ts";
import type { Subject } from "../subjects.ts";
import { openIdleConnections } from "../wire/idle-connections.ts";
import { measureGrowth } from "./idle-connections.ts";
import type { Outcome } from "./interleave.ts";
import type { Session } from "./session.ts";

/** As with connections: what a process grows by once does not count. */
const FIRST_CONNECTIONS = 5;

/**
 * Resident memory that each open stream costs a server: a call that streams to it, of which the head and one message have come.
 * The connections they are on count, a hundredth for each stream.
 */
export function measureOpenStreams(
  work: OpenStreamsWork,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const calls = { each: work.streamsEach, path: "/bench.echo.v1.EchoService/ClientStream" };
  return measureGrowth(work.connections * work.streamsEach, subjects, session, {
    first: (port) => openIdleConnections(port, FIRST_CONNECTIONS, calls),
    counted: (port) => openIdleConnections(port, work.connections, calls),
  });
}
