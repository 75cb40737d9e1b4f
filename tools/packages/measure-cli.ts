// `npm run bench:cli`: measures the waiting times of the command line, with the packed packages. It fails if a median is over its budget.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { usageSoFar } from "../test-run/process/process-usage.ts";
import { createPackedProject, userEnvironment } from "./packed-project.ts";

const root = dirname(dirname(import.meta.dirname));
const rounds = 9;
const protoCount = 50;
/** The buf of this repository. */
const env = { ...userEnvironment(), PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH}` };

interface Measure {
  readonly name: string;
  readonly budgetMs: number;
  /** Runs one round, and resolves to its duration. */
  measure(round: number): Promise<number> | number;
}

function timed(work: () => void): number {
  const startedAtMs = performance.now();
  work();
  return performance.now() - startedAtMs;
}

function runs(program: string, args: readonly string[], cwd: string): number {
  return timed(() => {
    const { status, stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")}: exit code ${status}\n${stderr}`);
  });
}

/** Returns the lines of a program, from standard output and standard error. */
function linesOf(child: ChildProcess): (isWanted: (line: string) => boolean) => Promise<string> {
  const lines: string[] = [];
  let wake = (): void => {};
  let hasEnded = false;
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      wake();
    });
  }
  child.once("close", () => {
    hasEnded = true;
    wake();
  });
  return async (isWanted) => {
    for (;;) {
      const at = lines.findIndex(isWanted);
      if (at >= 0) return lines.splice(0, at + 1).at(-1) ?? "";
      if (hasEnded) throw new Error(`ended too early:\n${lines.join("\n")}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

/** Resolves to the time from the start of a service until it is ready. */
async function startOf(main: string, cwd: string): Promise<number> {
  const startedAtMs = performance.now();
  const settings = ["service.port=0", "monitoring.providers.prometheus.endpoint=127.0.0.1:0"];
  const child = spawn(process.execPath, [main, ...settings.flatMap((one) => ["--set", one])], {
    cwd,
    env,
    stdio: "pipe",
  });
  try {
    await linesOf(child)((line) => line.includes('"message":"ready"'));
    return performance.now() - startedAtMs;
  } finally {
    child.kill("SIGTERM");
    await once(child, "close");
  }
}

function writeProtos(project: string): void {
  mkdirSync(join(project, "proto"), { recursive: true });
  writeFileSync(join(project, "buf.yaml"), "version: v2\nmodules:\n  - path: proto\n");
  for (let at = 0; at < protoCount; at++) {
    const folder = join(project, "proto", `part${at}`, "v1");
    mkdirSync(folder, { recursive: true });
    const text = `syntax = "proto3";
package part${at}.v1;
service Part${at}Service {
  rpc Get(GetRequest) returns (GetResponse);
  rpc Watch(GetRequest) returns (stream GetResponse);
}
message GetRequest { string id = 1; repeated string tags = 2; }
message GetResponse { string id = 1; map<string, int64> counts = 2; oneof kind { string name = 3; bytes data = 4; } }
`;
    writeFileSync(join(folder, `part${at}.proto`), text);
  }
}

const folder = mkdtempSync(join(tmpdir(), "tercel-measure-"));
try {
  createPackedProject(root, folder);
  for (const name of ["esbuild", "@esbuild", "@types", "typescript"]) {
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  const tercel = join(folder, "node_modules/.bin/tercel");
  const make = ["--yes", "--no-install", "--no-git"];
  const service = join(folder, "user-service");
  runs(tercel, ["new", "user-service", ...make, "--with-discovery=none"], folder);
  runs(tercel, ["generate"], service);
  runs(tercel, ["build"], service);
  const protos = join(folder, "protos");
  writeProtos(protos);

  const file = join(service, "src/users.ts");
  const handlers = readFileSync(file, "utf8");
  const dev = spawn(tercel, ["dev", "--set", "service.port=0"], { cwd: service, env, stdio: "pipe" });
  const nextLine = linesOf(dev);
  const wimguard = join(folder, "node_modules/.bin/wimguard");
  const data = join(folder, "wimguard");
  const daemon = spawn(wimguard, ["server", "--port=0", "--dir", data], { cwd: folder, env, stdio: "pipe" });
  const measures: readonly Measure[] = [
    { name: "tercel --version", budgetMs: 80, measure: () => runs(tercel, ["--version"], folder) },
    { name: "tercel --help", budgetMs: 80, measure: () => runs(tercel, ["--help"], folder) },
    {
      name: "tercel new",
      budgetMs: 5000,
      measure: (round) => runs(tercel, ["new", `service${round}-service`, ...make, "--dir", `new-${round}`], folder),
    },
    {
      name: `tercel generate, ${protoCount} protos`,
      budgetMs: 1500,
      measure() {
        rmSync(join(protos, "gen"), { recursive: true, force: true });
        return runs(tercel, ["generate"], protos);
      },
    },
    {
      name: "a change of a handler, in tercel dev, until it is served",
      budgetMs: 1500,
      async measure(round) {
        const startedAtMs = performance.now();
        writeFileSync(file, `${handlers}\n// ${round}\n`);
        await nextLine((line) => / again, .* after the change of src\/users\.ts/.test(line));
        return performance.now() - startedAtMs;
      },
    },
    {
      name: "a service with SQLite, from its bundle, until it listens",
      budgetMs: 400,
      measure: () => startOf("dist/main.js", service),
    },
    { name: "wimguard --help", budgetMs: 150, measure: () => runs(wimguard, ["--help"], folder) },
    { name: "wimguard list", budgetMs: 150, measure: () => runs(wimguard, ["list", "--dir", data], folder) },
  ];
  try {
    await linesOf(daemon)((line) => line.startsWith("listening on "));
    await nextLine((line) => line.includes("listens at"));
    for (const { name, budgetMs, measure } of measures) {
      const took: number[] = [];
      const before = usageSoFar().cpuSeconds;
      for (let round = 0; round < rounds; round++) took.push(await measure(round));
      // Only of programs that have ended. The services of tercel dev have not.
      const cpuMs = ((usageSoFar().cpuSeconds - before) * 1000) / rounds;
      const [median = 0] = took.toSorted((one, other) => one - other).slice((rounds - 1) / 2);
      const isOver = median > budgetMs;
      if (isOver) process.exitCode = 1;
      const over = isOver ? ", OVER ITS BUDGET" : "";
      console.log(`${name}: ${median.toFixed(0)} ms of ${budgetMs} ms, ${cpuMs.toFixed(0)} ms of a processor${over}`);
    }
    const [load = 0] = loadavg();
    console.log(`load of the machine: ${load.toFixed(1)} on ${availableParallelism()} cores`);
  } finally {
    dev.kill("SIGINT");
    daemon.kill("SIGTERM");
    await Promise.all([once(dev, "close"), once(daemon, "close")]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
