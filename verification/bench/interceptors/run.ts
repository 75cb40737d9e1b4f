/** `npm run bench -- interceptors [stack …] [--rounds N] [--seconds S] [--json]` measures what interceptors add. See README.md. */
import { join } from "node:path";
import type { H2loadWork } from "../case.ts";
import { BENCH_CASES } from "../cases.ts";
import { interleave, type Turn } from "../measure/interleave.ts";
import { FIRST_WARM_UP_SECONDS, WARM_UP_SECONDS } from "../measure/session.ts";
import { runH2load, writeBody } from "../process/h2load.ts";
import { MEASURED_CORE } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { parseRoundOptions } from "../round-options.ts";
import { callerHeaders } from "./caller.ts";
import { stackNames } from "./stacks.ts";
import { promise, renderStacks, type StackFigures, stackFigures } from "./table.ts";

const defaults = { rounds: 5, seconds: 1 };

/** The loads, by their case names. */
const loads = ["server/unary/10x10", "server/stream"].map((name) => {
  const found = BENCH_CASES.find((one) => one.name === name);
  if (found?.work.kind !== "h2load") throw new Error(`no load is called ${name}`);
  return { name, per: found.per ?? "call", work: found.work };
});

/** Exit codes: 0 the promise is kept; 1 it is not, or a stack failed. @throws UsageError */
export async function runInterceptorBench(args: readonly string[]): Promise<number> {
  const loadNames = loads.map(({ name }) => name);
  const { chosen: words, rounds, seconds, json } = parseRoundOptions(args, defaults, [...stackNames, ...loadNames]);
  const stackWords = words.filter((word) => stackNames.includes(word));
  const loadWords = words.filter((word) => loadNames.includes(word));
  // The other stacks are compared with the bare server.
  const chosen = stackNames.filter((name) => name === "bare" || stackWords.length === 0 || stackWords.includes(name));
  const cases: Record<string, StackFigures[]> = {};
  for (const { name, per, work } of loads) {
    if (loadWords.length > 0 && !loadWords.includes(name)) continue;
    cases[name] = stackFigures(await measureStacks(name, work, chosen, rounds, seconds));
    if (!json) process.stdout.write(renderStacks(name, per, cases[name]));
  }
  if (json) process.stdout.write(`${JSON.stringify(cases, null, 2)}\n`);
  const figures = Object.values(cases).flat();
  const isKept = (cases["server/unary/10x10"] ?? []).every(
    (one) => one.name !== promise.stack || (one.share ?? 0) >= promise.leastShare,
  );
  return isKept && figures.every((one) => one.failure === undefined) ? 0 : 1;
}

async function measureStacks(
  caseName: string,
  work: H2loadWork,
  names: readonly string[],
  rounds: number,
  seconds: number,
): Promise<Awaited<ReturnType<typeof interleave>>> {
  const bodyFile = writeBody(caseName, work.body);
  const headers = callerHeaders(Date.now());
  const servers = new Map<string, ServerProcess>();
  const measure = async (name: string, round: number): Promise<Turn> => {
    const server = servers.get(name) ?? (await startServer(command(name), MEASURED_CORE));
    servers.set(name, server);
    const load = { ...work, port: server.port, bodyFile, headers };
    await runH2load(load, round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS);
    // A separate run for the warm-up, so that the CPU time between these two readings is that of the counted requests.
    const cpuBefore = readCpuMicros(server.pid);
    const figures = await runH2load(load, seconds);
    const done = figures.succeeded * work.unitsPerRequest;
    const turn = {
      value: figures.requestsPerSecond * work.unitsPerRequest,
      cpuMicros: (readCpuMicros(server.pid) - cpuBefore) / done,
    };
    server.assertRunning();
    console.error(
      `  ${caseName}, round ${round + 1}, ${name}: ${Math.round(turn.value)}, ${turn.cpuMicros.toFixed(2)} µs`,
    );
    return turn;
  };
  try {
    return await interleave(names, rounds, measure);
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}

function command(name: string): readonly string[] {
  return [process.execPath, "--conditions=source", join(import.meta.dirname, "server.ts"), name];
}
