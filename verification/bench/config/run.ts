/** `npm run bench -- config [--rounds N] [--json]` measures loading a configuration of 500 keys. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../measure/statistics.ts";
import { ROOT_FOLDER } from "../paths.ts";
import { runCommand } from "../process/command.ts";
import { parseRoundOptions } from "../round-options.ts";

const keyCount = 500;
const keysOfDependency = 10;

/** The cost of a load, as medians of several processes. */
export interface LoadCost {
  /** The first load of a process, as at a start, without the imports. */
  readonly firstMs: number;
  /** The CPU time of all threads during the first load. */
  readonly firstCpuMs: number;
  /** The tenth load, as at a reload. */
  readonly laterMs: number;
}

/** Exit code 0: measured. @throws UsageError */
export async function runConfigBench(args: readonly string[]): Promise<number> {
  const options = parseRoundOptions(args, { rounds: 9, seconds: 1 }, []);
  const cost = await measureConfig(options.rounds);
  const text = `${keyCount} keys: first load ${cost.firstMs.toFixed(1)} ms (${cost.firstCpuMs.toFixed(1)} ms CPU), later ones ${cost.laterMs.toFixed(1)} ms\n`;
  process.stdout.write(options.json ? `${JSON.stringify(cost, null, 2)}\n` : text);
  return 0;
}

export async function measureConfig(rounds: number): Promise<LoadCost> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-bench-config-"));
  try {
    writeFileSync(join(folder, "config.yaml"), configOf(keyCount));
    const turns: LoadCost[] = [];
    // The first turn fills the caches of the file system, and does not count.
    for (let round = 0; round <= rounds; round++) {
      const cost = await loadOnce(folder);
      if (round > 0) turns.push(cost);
    }
    return {
      firstMs: median(turns.map(({ firstMs }) => firstMs)),
      firstCpuMs: median(turns.map(({ firstCpuMs }) => firstCpuMs)),
      laterMs: median(turns.map(({ laterMs }) => laterMs)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function configOf(keys: number): string {
  const dependencies = Array.from({ length: keys / keysOfDependency }, (_, at) =>
    [
      `  - name: service-${at}`,
      "    version: v1",
      "    required: false",
      `    timeout: ${at + 1}s`,
      "    load_balancing: round_robin",
      "    retry:",
      "      max_attempts: 3",
      "      initial_backoff: 100ms",
      "      codes: [UNAVAILABLE]",
      "    pool:",
      "      max_connections: 4",
      "    max_recv_msg_size: 8MiB",
    ].join("\n"),
  );
  return `dependencies:\n${dependencies.join("\n")}\n`;
}

async function loadOnce(folder: string): Promise<LoadCost> {
  const program = `
    const { loadServiceConfig } = await import("@tercel/service/config");
    const times = [];
    const before = process.cpuUsage();
    let firstCpuMs;
    for (let at = 0; at < 10; at++) {
      const start = performance.now();
      await loadServiceConfig({ folder: ${JSON.stringify(folder)}, variables: {} });
      times.push(performance.now() - start);
      const { user, system } = process.cpuUsage(before);
      firstCpuMs ??= (user + system) / 1000;
    }
    console.log(JSON.stringify({ firstMs: times[0], firstCpuMs, laterMs: times[9] }));
  `;
  const words = [process.execPath, "--conditions=source", "--input-type=module", "--eval", program] as const;
  return JSON.parse(await runCommand(words, { cwd: ROOT_FOLDER })) as LoadCost;
}
