import { isAble } from "../able.ts";
import type { BenchCase } from "../case.ts";
import { tlsWords } from "../process/tls-words.ts";
import type { Subject } from "../subjects.ts";
import { measureClients, measurePairs } from "./clients.ts";
import { measureIdleConnections } from "./idle-connections.ts";
import type { Outcome } from "./interleave.ts";
import { measureLink } from "./link.ts";
import { measureOpenLoop } from "./open-loop.ts";
import { measureOpenStreams } from "./open-streams.ts";
import { measurePicks } from "./picks.ts";
import { measureServers } from "./servers.ts";
import type { Session } from "./session.ts";
import { measureStart } from "./start.ts";

/** Measures one case for all its subjects, interleaved. A failed subject has the reason instead of a figure. */
export async function measureCase(
  benchCase: BenchCase,
  subjects: readonly Subject[],
  session: Session,
): Promise<Map<string, Outcome>> {
  const able = subjects.filter((subject) => isAble(subject, benchCase));
  const rounds = Math.min(session.rounds, benchCase.maxRounds ?? session.rounds);
  if (!benchCase.isTls) return measureWork(benchCase, able, { ...session, rounds });
  const words = await tlsWords();
  return measureWork(
    benchCase,
    able.map((subject) => ({
      ...subject,
      server: [...words, ...subject.server],
      client: [...words, ...(subject.client ?? [])],
    })),
    { ...session, rounds, tlsWords: words },
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
    case "pair":
      return measurePairs(work, subjects, session);
    case "start":
      return measureStart(work, subjects, session);
    case "pick":
      return measurePicks(work, session);
    case "idle":
      return measureIdleConnections(work, subjects, session);
    case "open-streams":
      return measureOpenStreams(work, subjects, session);
    case "open-loop":
      return measureOpenLoop(name, work, subjects, session);
    case "link":
      return measureLink(work, session);
  }
}
