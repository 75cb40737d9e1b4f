import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { median } from "../measure/statistics.ts";
import { readCpuMicros, readResidentBytes } from "../process/process-usage.ts";
import type { Budget } from "./budgets.ts";
import { preparePrograms, type StartedProgram } from "./programs.ts";

const megabyte = 1e6;
/** The time after the start at which compilers and collectors are idle. */
const restMs = 3_000;
const startMs = 20_000;

/** The budgets of each program. */
const limits: Readonly<Record<string, { readonly readyMs: number; readonly idleMegabytes: number }>> = {
  hello: { readyMs: 250, idleMegabytes: 98 },
  generated: { readyMs: 400, idleMegabytes: 110 },
};

interface Start {
  /** From the start of the process to the log line that it serves. */
  readonly readyMs: number;
  /** CPU time of all threads until then, which is more meaningful on a busy machine. */
  readonly readyCpuMs: number;
  readonly idleBytes: number;
}

/** Measures the time until services serve, and their idle memory: medians, with the programs in turn. */
export async function measureStarts(rounds: number): Promise<readonly Budget[]> {
  const programs = await preparePrograms();
  const turns = new Map<string, Start[]>(programs.map(({ name }) => [name, []]));
  // The first turn fills the caches of the file system, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const program of programs) {
      const start = await startOnce(program);
      const shown = `${start.readyMs.toFixed(0)} ms (${start.readyCpuMs} ms CPU), ${(start.idleBytes / megabyte).toFixed(1)} MB`;
      console.error(`  start ${round}, ${program.name}: ${shown}`);
      if (round > 0) turns.get(program.name)?.push(start);
    }
  }
  return [...turns].flatMap(([name, starts]): Budget[] => {
    const { readyMs = Number.NaN, idleMegabytes = Number.NaN } = limits[name] ?? {};
    return [
      {
        name: `${name}: serves after`,
        unit: "ms",
        measured: median(starts.map((start) => start.readyMs)),
        note: `${median(starts.map((start) => start.readyCpuMs))} ms CPU`,
        limit: readyMs,
        isKeptBelow: true,
      },
      {
        name: `${name}: resident memory when idle`,
        unit: "MB",
        measured: median(starts.map((start) => start.idleBytes)) / megabyte,
        limit: idleMegabytes,
        isKeptBelow: true,
      },
    ];
  });
}

async function startOnce({ name, folder, command: [program, ...words] }: StartedProgram): Promise<Start> {
  // A compile cache would hide the cost of the first start, and users do not have the runner's options.
  const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...env } = process.env;
  const startedMs = performance.now();
  const child = spawn(program, words, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  try {
    await ready(name, child);
    const readyMs = performance.now() - startedMs;
    const { pid = 0 } = child;
    const readyCpuMs = readCpuMicros(pid) / 1000;
    await pause(restMs);
    return { readyMs, readyCpuMs, idleBytes: readResidentBytes(pid) };
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

/** Resolves to the line that a service logs when it listens. */
function ready(name: string, child: ChildProcessByStdio<null, Readable, null>): Promise<void> {
  return new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error(`${name} did not serve within ${startMs / 1000} s`)), startMs);
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.includes('"message":"ready"')) return;
      clearTimeout(patience);
      resolve();
    });
    child.once("exit", (code) => {
      clearTimeout(patience);
      reject(new Error(`${name} ended with exit code ${code}`));
    });
  });
}
