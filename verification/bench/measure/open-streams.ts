import type { OpenStreamsWork } from "../case.ts";
import type { Subject } from "../subjects.ts";
import { openIdleConnections } from "../wire/idle-connections.ts";
import { measureGrowth } from "./idle-connections.ts";
import type { Outcome } from "./interleave.ts";
import type { Session } from "./session.ts";

/** As with connections, one-time growth does not count. */
const FIRST_CONNECTIONS = 5;

/**
 * Measures the resident memory of each open stream of a server: a streaming call of which the headers and one message have arrived.
 * The connections count too, a hundredth for each stream.
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
