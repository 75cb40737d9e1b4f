import { cpus, release, totalmem } from "node:os";
import { commitNow } from "../../tools/verify/commit-now.ts";
import { isAble } from "./able.ts";
import type { BenchCase } from "./case.ts";
import { BENCH_CASES } from "./cases.ts";
import { estimatedSeconds } from "./estimate.ts";
import { measureCase } from "./measure/measure-case.ts";
import type { Session } from "./measure/session.ts";
import type { BenchOptions } from "./options.ts";
import { ROOT_FOLDER } from "./paths.ts";
import { prepareNodePeers } from "./prepare.ts";
import { h2loadVersion } from "./process/h2load.ts";
import { tlsWords } from "./process/tls-words.ts";
import { type BenchDocument, type CaseResult, caseResult, type Skipped } from "./report/document.ts";
import { requireSameRun } from "./report/same-run.ts";
import { GRPC_GO, PEERS, type Subject, TERCEL } from "./subjects.ts";

/** The properties of the machine that determine the speed. */
const MEASURED_PATHS = ["packages", "verification/bench", ":!verification/bench/published.json", "package-lock.json"];

/** The storage of a run, so that it can be made in parts. */
export interface Keeping {
  /** An earlier part. Its cases are not measured again, unless a subject failed in them. */
  readonly earlier?: BenchDocument;
  /** Called after each case with all results so far. */
  onCase?(document: BenchDocument): void;
}

export interface BenchRun {
  readonly document: BenchDocument;
  /** Cases that were not started, because they would have ended too late. */
  readonly left: readonly string[];
  /** About how long they take. */
  readonly leftMinutes: number;
}

/**
 * Prepares the selected cases and peers, measures, and returns the figures. Missing peers are in the
 * document with the reason. Only two cores and taskset are required, because figures cannot be compared without them.
 *
 * @throws UsageError if the earlier part is of another run
 */
export async function runBenchmarks(
  options: BenchOptions,
  progress: (text: string) => void,
  keeping: Keeping = {},
): Promise<BenchRun> {
  if (cpus().length < 2) throw new Error("Benchmarks need two cores: one for what is measured, one for its load.");
  const endMs = performance.now() + (options.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  progress("preparing");
  const chosen = BENCH_CASES.filter(({ name }) => options.cases.includes(name));
  const { subjects, skippedPeers } = await prepareSubjects(options.peers, progress);
  const absent = await absentLoads(chosen);
  const notes: string[] = [];
  const verifierAbsent = await failureOf(prepareNodePeers);
  if (verifierAbsent !== undefined) {
    notes.push(`The responses of the servers are not checked, because grpc-js is missing: ${verifierAbsent}`);
  }
  const { rounds, seconds } = options;
  const about = {
    skippedPeers,
    notes,
    commit: commitNow(ROOT_FOLDER, MEASURED_PATHS),
    date: new Date().toISOString().slice(0, 10),
    options: { rounds, seconds },
    versions: await versions(subjects, absent),
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, memoryBytes: totalmem(), kernel: release() },
  };
  if (keeping.earlier !== undefined) requireSameRun(keeping.earlier, about);

  const verified = verifierAbsent === undefined ? new Set<string>() : undefined;
  const session: Session = { rounds, seconds, verified, tlsWords: [], progress };
  // Failed subjects are measured again, because the machine may have been busy.
  const kept = keeping.earlier?.cases.filter(({ failures }) => Object.keys(failures).length === 0) ?? [];
  const results = new Map(kept.map((result) => [result.name, result]));
  const skippedCases: Skipped[] = [];
  const left: string[] = [];
  let leftSeconds = 0;
  const documentNow = (): BenchDocument => ({ cases: inCatalogueOrder(results), skippedCases, ...about });
  for (const benchCase of chosen) {
    const { name } = benchCase;
    if (results.has(name)) continue;
    const reason = absent[loadOf(benchCase)] ?? (benchCase.isTls ? await failureOf(tlsWords) : undefined);
    if (reason !== undefined) {
      skippedCases.push({ name, reason });
      continue;
    }
    const able = subjects.filter((subject) => isAble(subject, benchCase)).length;
    const neededSeconds = estimatedSeconds(benchCase, able, options);
    if (performance.now() + neededSeconds * 1000 > endMs) {
      left.push(name);
      leftSeconds += neededSeconds;
      continue;
    }
    progress(name);
    results.set(name, caseResult(benchCase, await measureCase(benchCase, subjects, session)));
    keeping.onCase?.(documentNow());
  }
  return { document: documentNow(), left, leftMinutes: Math.ceil(leftSeconds / 60) };
}

function inCatalogueOrder(results: ReadonlyMap<string, CaseResult>): CaseResult[] {
  return BENCH_CASES.flatMap(({ name }) => results.get(name) ?? []);
}

/** Returns false if a subject failed in a case. */
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
    case "open-loop":
      return "h2load";
    case "start":
      return work.moreCalls > 0 ? "h2load" : "none";
    case "client-stream":
      return "grpc-go";
    case "client":
    case "pair":
    case "idle":
    case "pick":
    case "open-streams":
    case "link":
      return "none";
  }
}

/** Returns why the other side of some cases is missing. */
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
