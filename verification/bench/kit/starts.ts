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
/** After the start: by then compilers and collectors have come to rest. */
const restMs = 3_000;
const startMs = 20_000;

/** The most that each program may take. */
const limits: Readonly<Record<string, { readonly readyMs: number; readonly idleMegabytes: number }>> = {
  hello: { readyMs: 250, idleMegabytes: 98 },
  generated: { readyMs: 400, idleMegabytes: 110 },
};

interface Start {
  /** From the start of the process to the line that says that it serves. */
  readonly readyMs: number;
  /** Of all threads, until then: it says more where the machine has other work. */
  readonly readyCpuMs: number;
  readonly idleBytes: number;
}

/** How long services take to serve, and how much memory they hold when nothing happens; medians, the programs in turn. */
export async function measureStarts(rounds: number): Promise<readonly Budget[]> {
  const programs = await preparePrograms();
  const turns = new Map<string, Start[]>(programs.map(({ name }) => [name, []]));
  // The first turn fills the caches of the file system, and is not counted.
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
  // A cache of compiled code would hide what the first start costs, and the runner's options are not the user's.
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

/** Resolves with the line that a service of the kit logs once it listens. */
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
