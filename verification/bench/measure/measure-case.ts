import type { BenchCase } from "../cases.ts";
import { tlsWords } from "../process/tls-words.ts";
import type { Subject } from "../subjects.ts";
import { measureClients } from "./clients.ts";
import { measureIdleConnections } from "./idle-connections.ts";
import type { Outcome } from "./interleave.ts";
import { measureLatency } from "./latency.ts";
import { measureLink } from "./link.ts";
import { measureOpenStreams } from "./open-streams.ts";
import { measurePicks } from "./picks.ts";
import { measureServers } from "./servers.ts";
import type { Session } from "./session.ts";

/** Measures one case of all subjects, interleaved. A subject that fails has the reason in its place. */
export async function measureCase(
  benchCase: BenchCase,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  if (!benchCase.isTls) return measureWork(benchCase, subjects, session);
  const words = await tlsWords();
  const able = subjects.filter(({ speaksTls }) => speaksTls);
  return measureWork(
    benchCase,
    able.map((subject) => ({
      ...subject,
      server: [...words, ...subject.server],
      client: [...words, ...subject.client],
    })),
    { ...session, tlsWords: words },
  );
}

function measureWork(
  { name, work }: BenchCase,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  switch (work.kind) {
    case "h2load":
    case "client-stream":
      return measureServers(name, work, subjects, session);
    case "client":
      return measureClients(work, subjects, session);
    case "pick":
      return measurePicks(work, session);
    case "idle":
      return measureIdleConnections(work, subjects, session);
    case "open-streams":
      return measureOpenStreams(work, subjects, session);
    case "latency":
      return measureLatency(name, work, subjects, session);
    case "link":
      return measureLink(work, session);
  }
}
