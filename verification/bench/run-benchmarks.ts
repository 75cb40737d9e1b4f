import { cpus, release, totalmem } from "node:os";
import { BENCH_CASES, type BenchCase } from "./cases.ts";
import { measureCase } from "./measure/measure-case.ts";
import type { Session } from "./measure/session.ts";
import type { BenchOptions } from "./options.ts";
import { prepareNodePeers } from "./prepare.ts";
import { h2loadVersion } from "./process/h2load.ts";
import { tlsWords } from "./process/tls-words.ts";
import { type BenchDocument, type CaseResult, caseResult, type Skipped } from "./report/document.ts";
import { GRPC_GO, PEERS, type Subject, TERCEL } from "./subjects.ts";

/**
 * Prepares what the chosen cases and peers need, measures, and returns the figures. What this machine lacks is in the
 * document with the reason; only two cores and taskset are indispensable, because without them no figure compares.
 */
export async function runBenchmarks(options: BenchOptions, progress: (text: string) => void): Promise<BenchDocument> {
  if (cpus().length < 2) throw new Error("Benchmarks need two cores: one for what is measured, one for its load.");
  progress("preparing");
  const chosen = BENCH_CASES.filter(({ name }) => options.cases.includes(name));
  const { subjects, skippedPeers } = await prepareSubjects(options.peers, progress);
  const absent = await absentLoads(chosen);
  const notes: string[] = [];
  const verifierAbsent = await failureOf(prepareNodePeers);
  if (verifierAbsent !== undefined) {
    notes.push(
      `The servers' answers are not compared with what they should be, for want of grpc-js: ${verifierAbsent}`,
    );
  }

  const verified = verifierAbsent === undefined ? new Set<string>() : undefined;
  const session: Session = { rounds: options.rounds, seconds: options.seconds, verified, tlsWords: [], progress };
  const cases: CaseResult[] = [];
  const skippedCases: Skipped[] = [];
  for (const benchCase of chosen) {
    const reason = absent[loadOf(benchCase)] ?? (benchCase.isTls ? await failureOf(tlsWords) : undefined);
    if (reason !== undefined) {
      skippedCases.push({ name: benchCase.name, reason });
      continue;
    }
    progress(benchCase.name);
    cases.push(caseResult(benchCase, await measureCase(benchCase, subjects, session)));
  }
  return {
    cases,
    skippedCases,
    skippedPeers,
    notes,
    options: { rounds: options.rounds, seconds: options.seconds },
    versions: await versions(subjects, absent),
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, memoryBytes: totalmem(), kernel: release() },
  };
}

/** Whether everything that could be measured was: false when a subject failed in a case. */
export function allMeasured(document: BenchDocument): boolean {
  return document.cases.every(({ failures }) => Object.keys(failures).length === 0);
}

async function prepareSubjects(
  peerNames: readonly string[],
  progress: (text: string) => void,
): Promise<{ subjects: readonly Subject[]; skippedPeers: readonly Skipped[] }> {
  const subjects = [TERCEL];
  const skippedPeers: Skipped[] = [];
  for (const peer of PEERS.filter(({ name }) => peerNames.includes(name))) {
    const reason = await failureOf(peer.prepare);
    if (reason === undefined) {
      subjects.push(peer);
    } else {
      skippedPeers.push({ name: peer.name, reason });
      progress(`${peer.name} is not measured: ${reason}`);
    }
  }
  return { subjects, skippedPeers };
}

type Load = "h2load" | "grpc-go" | "none";

function loadOf({ work }: BenchCase): Load {
  switch (work.kind) {
    case "h2load":
    case "latency":
      return "h2load";
    case "client-stream":
      return "grpc-go";
    case "client":
    case "idle":
    case "pick":
    case "open-streams":
    case "link":
      return "none";
  }
}

/** Why the other side of some cases is not there; nothing for those that are. */
async function absentLoads(cases: readonly BenchCase[]): Promise<Partial<Record<Load, string>>> {
  const needed = new Set(cases.map(loadOf));
  const absent: Partial<Record<Load, string>> = {};
  const h2load = needed.has("h2load") ? await failureOf(h2loadVersion) : undefined;
  const grpcGo = needed.has("grpc-go") ? await failureOf(GRPC_GO.prepare) : undefined;
  if (h2load !== undefined) absent.h2load = h2load;
  if (grpcGo !== undefined) absent["grpc-go"] = `the other side is grpc-go's: ${grpcGo}`;
  return absent;
}

async function versions(
  subjects: readonly Subject[],
  absent: Partial<Record<Load, string>>,
): Promise<Record<string, string>> {
  const found: Record<string, string> = { node: process.versions.node };
  for (const subject of subjects) found[subject.name] = await subject.version();
  if (absent.h2load === undefined) found.h2load = await h2loadVersion().catch(() => "absent");
  return found;
}

async function failureOf(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
