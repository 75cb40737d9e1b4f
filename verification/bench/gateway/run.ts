/** `npm run bench -- gateway [load …] [--rounds N] [--seconds S] [--json]`: REST, Connect and gRPC-Web next to other servers. */
import { join } from "node:path";
import { interleave, type Outcome, type Turn } from "../measure/interleave.ts";
import { FIRST_WARM_UP_SECONDS, WARM_UP_SECONDS } from "../measure/session.ts";
import { median } from "../measure/statistics.ts";
import { runCommand } from "../process/command.ts";
import { writeBody } from "../process/h2load.ts";
import { type H2loadFigures, parseH2loadOutput } from "../process/h2load-output.ts";
import { LOAD_CORE, MEASURED_CORE, pinned } from "../process/pinned.ts";
import { readCpuMicros } from "../process/process-usage.ts";
import { type ServerProcess, startServer } from "../process/server-process.ts";
import { parseRoundOptions } from "../round-options.ts";
import { type GatewayLoad, gatewayLoads } from "./loads.ts";

const defaults = { rounds: 5, seconds: 1 };
const extraTimeoutMs = 20_000;

interface LoadFigures {
  readonly subject: string;
  readonly rate?: number;
  readonly cpuMicros?: number;
  /** Tercel's CPU time over this subject's; below 1 Tercel is better. */
  readonly ratio?: number;
  readonly failure?: string;
}

/** Exit codes: 0 all measured, 1 a subject failed. @throws UsageError */
export async function runGatewayBench(args: readonly string[]): Promise<number> {
  const names = gatewayLoads.map(({ name }) => name);
  const { chosen, rounds, seconds, json } = parseRoundOptions(args, defaults, names);
  const results: Record<string, readonly LoadFigures[]> = {};
  for (const load of gatewayLoads) {
    if (chosen.length > 0 && !chosen.includes(load.name)) continue;
    const figures = toFigures(await measureLoad(load, rounds, seconds));
    results[load.name] = figures;
    if (!json) process.stdout.write(render(load, figures));
  }
  if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
  return Object.values(results)
    .flat()
    .every(({ failure }) => failure === undefined)
    ? 0
    : 1;
}

async function measureLoad(load: GatewayLoad, rounds: number, seconds: number): Promise<Map<string, Outcome>> {
  const servers = new Map<string, ServerProcess>();
  const bodyFile = load.body === undefined ? undefined : writeBody(`gateway/${load.name}`, load.body);
  const measure = async (subject: string, round: number): Promise<Turn> => {
    const server = servers.get(subject) ?? (await startServer(command(subject), MEASURED_CORE));
    servers.set(subject, server);
    await runLoad(load, bodyFile, server.port, round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS);
    const before = readCpuMicros(server.pid);
    const figures = await runLoad(load, bodyFile, server.port, seconds);
    const cpuMicros = (readCpuMicros(server.pid) - before) / (figures.succeeded * load.unitsPerRequest);
    server.assertRunning();
    return { value: figures.requestsPerSecond * load.unitsPerRequest, cpuMicros };
  };
  try {
    return await interleave(["tercel", ...load.peers], rounds, measure);
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}

function command(subject: string): readonly string[] {
  return [process.execPath, "--conditions=source", join(import.meta.dirname, "server.ts"), subject];
}

async function runLoad(
  load: GatewayLoad,
  bodyFile: string | undefined,
  port: number,
  seconds: number,
): Promise<H2loadFigures> {
  const durationMs = Math.round(seconds * 1000);
  const output = await runCommand(
    pinned(LOAD_CORE, [
      "h2load",
      ...(load.version === "http/1.1" ? ["--h1"] : []),
      `--clients=${load.connections}`,
      `--max-concurrent-streams=${load.streams}`,
      `--duration=${durationMs}ms`,
      ...(bodyFile === undefined ? [] : [`--data=${bodyFile}`]),
      ...load.headers.map((line) => `--header=${line}`),
      `http://127.0.0.1:${port}${load.path}`,
    ]),
    { timeoutMs: durationMs + extraTimeoutMs },
  );
  return parseH2loadOutput(output, load.leastResponseBytes);
}

function toFigures(outcomes: ReadonlyMap<string, Outcome>): LoadFigures[] {
  const cpuOf = (outcome: Outcome | undefined): number =>
    outcome === undefined || "failure" in outcome
      ? Number.NaN
      : median(outcome.turns.map(({ cpuMicros = Number.NaN }) => cpuMicros));
  const own = cpuOf(outcomes.get("tercel"));
  return [...outcomes].map(([subject, outcome]) => {
    if ("failure" in outcome) return { subject, failure: outcome.failure };
    const cpuMicros = cpuOf(outcome);
    const rate = median(outcome.turns.map(({ value }) => value));
    return { subject, rate, cpuMicros, ...(subject === "tercel" ? {} : { ratio: own / cpuMicros }) };
  });
}

function render({ name, per }: GatewayLoad, figures: readonly LoadFigures[]): string {
  const lines = figures.map(({ subject, rate = 0, cpuMicros = 0, ratio, failure }) => {
    if (failure !== undefined) return `  ${subject.padEnd(20)} not measured: ${failure}`;
    const compared = ratio === undefined ? "" : `  Tercel takes ${ratio.toFixed(2)} times the CPU time`;
    return `  ${subject.padEnd(20)} ${String(Math.round(rate)).padStart(9)} ${per}s/s ${cpuMicros.toFixed(2).padStart(8)} µs${compared}`;
  });
  return `${name}\n${lines.join("\n")}\n`;
}
