/** `npm run bench -- import [subject …] [--rounds N] [--json]` measures importing a server and a client. */
import { buildSync } from "esbuild";
import { median } from "../measure/statistics.ts";
import { NODE_PEERS_FOLDER } from "../paths.ts";
import { prepareNodePeers } from "../prepare.ts";
import { runCommand } from "../process/command.ts";
import { parseRoundOptions } from "../round-options.ts";
import { installedFolder, installTercel } from "./install-tercel.ts";

/**
 * The maximum CPU time of a subject, relative to a peer. connect-node loads Connect and protobuf-es like Tercel. A bundled program must take
 * less than 100 ms on a machine where grpc-js takes 55 ms, as on the machine where the limit was set.
 */
const gates = [
  { subject: "tercel", peer: "connect-node", most: 1.4 },
  { subject: "tercel-bundled", peer: "grpc-js", most: 100 / 55 },
] as const;
const bundleName = "bundled.mjs";

/** The modules of each subject, and the folder from which they are imported. */
const subjects = new Map([
  ["tercel", { folder: installedFolder, modules: ["@tercel/grpc"] }],
  ["tercel-bundled", { folder: installedFolder, modules: [`./${bundleName}`] }],
  ["grpc-js", { folder: NODE_PEERS_FOLDER, modules: ["@grpc/grpc-js"] }],
  ["connect-node", { folder: NODE_PEERS_FOLDER, modules: ["@connectrpc/connect", "@connectrpc/connect-node"] }],
  ["nice-grpc", { folder: NODE_PEERS_FOLDER, modules: ["nice-grpc"] }],
]);

interface ImportCost {
  readonly name: string;
  /** User and system time of all threads, as medians. */
  readonly cpuMs: number;
  readonly elapsedMs: number;
}

/** Exit codes: 0 measured, 1 Tercel took longer than its gates allow. @throws UsageError */
export async function runImportBench(args: readonly string[]): Promise<number> {
  const options = parseRoundOptions(args, { rounds: 15, seconds: 1 }, [...subjects.keys()]);
  const chosen = options.chosen.length === 0 ? [...subjects.keys()] : options.chosen;
  await prepareNodePeers();
  installTercel();
  bundleTercel();
  const turns = new Map<string, Omit<ImportCost, "name">[]>(chosen.map((name) => [name, []]));
  // The first turn fills the caches of the file system, and does not count.
  for (let round = 0; round <= options.rounds; round++) {
    for (const name of chosen) {
      const cost = await importOnce(name);
      if (round > 0) turns.get(name)?.push(cost);
    }
  }
  const costs = [...turns].map(([name, all]): ImportCost => {
    const of = (key: "cpuMs" | "elapsedMs"): number => median(all.map((turn) => turn[key]));
    return { name, cpuMs: of("cpuMs"), elapsedMs: of("elapsedMs") };
  });
  process.stdout.write(options.json ? `${JSON.stringify(costs, null, 2)}\n` : render(costs));
  const cpuOf = (wanted: string): number => costs.find(({ name }) => name === wanted)?.cpuMs ?? Number.NaN;
  const exceeded = gates.filter(({ subject, peer, most }) => cpuOf(subject) > most * cpuOf(peer));
  for (const { subject, peer, most } of exceeded) console.error(`${subject} takes over ${most.toFixed(2)} × ${peer}`);
  return exceeded.length > 0 ? 1 : 0;
}

/** Bundles a program like a user. */
function bundleTercel(): void {
  buildSync({
    absWorkingDir: installedFolder,
    stdin: { contents: 'export * from "@tercel/grpc";', resolveDir: installedFolder },
    outfile: bundleName,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22.18",
  });
}

async function importOnce(name: string): Promise<Omit<ImportCost, "name">> {
  const { folder, modules } = subjects.get(name) ?? { folder: "", modules: [] };
  const program = `
    const start = performance.now();
    const before = process.cpuUsage();
    await Promise.all(${JSON.stringify(modules)}.map((name) => import(name)));
    const { user, system } = process.cpuUsage(before);
    const elapsedMs = performance.now() - start;
    console.log(JSON.stringify({ cpuMs: (user + system) / 1000, elapsedMs }));
  `;
  // A compile cache would hide the cost of the first start, and users do not have the runner's options.
  const clean = ["env", "-u", "NODE_COMPILE_CACHE", "-u", "NODE_OPTIONS"] as const;
  const output = await runCommand([...clean, process.execPath, "--input-type=module", "--eval", program], {
    cwd: folder,
  });
  return JSON.parse(output) as Omit<ImportCost, "name">;
}

function render(costs: readonly ImportCost[]): string {
  const lines = costs.map(({ name, cpuMs, elapsedMs }) =>
    [name.padEnd(16), `${cpuMs.toFixed(0)} ms`.padStart(8), `${elapsedMs.toFixed(0)} ms`.padStart(12)].join(""),
  );
  return `${"".padEnd(16)}${"CPU".padStart(8)}${"elapsed".padStart(12)}\n${lines.join("\n")}\n`;
}
