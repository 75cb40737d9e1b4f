// Whether tercel bench sends what it offers: 10,000 calls/s to a server that could do ten times that. It fails when the server could not, when bench achieves
// 1 % less, or when it says that it was itself the limit: npm run bench:rate.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const rate = 10_000;
const main = join(import.meta.dirname, "../../src/main.ts");
const node = ["--conditions=source"];

interface Bench {
  readonly exitCode: number | null;
  readonly result: {
    readonly calls: number;
    readonly offeredRate: number;
    readonly achievedRate: number;
    readonly errorRate: number;
    readonly latencyMs: Readonly<Record<string, number>>;
    readonly lagMs: Readonly<Record<string, number>>;
  };
}

async function bench(target: string, load: readonly string[]): Promise<Bench> {
  const args = ["bench", "LibraryService/GetBook", "-d", "id=7", "--target", target, ...load, "-o", "json"];
  const child = spawn(process.execPath, [...node, main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, result: JSON.parse(text) as Bench["result"] };
}

const server = spawn(process.execPath, [...node, join(import.meta.dirname, "server.ts")], {
  stdio: ["pipe", "pipe", "inherit"],
});
try {
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const target = String((await lines.next()).value);
  async function serverCpuMs(): Promise<number> {
    server.stdin.write("cpu\n");
    return Number((await lines.next()).value);
  }
  // As many calls as its core can do: what one costs then says how many that would be.
  const full = ["--concurrency", "100", "--duration", "5s"];
  await bench(target, full);
  const cpuBeforeMs = await serverCpuMs();
  const { result: most } = await bench(target, [...full, "--warmup", "0"]);
  const couldDo = (most.calls * 1000) / ((await serverCpuMs()) - cpuBeforeMs);
  const { exitCode, result } = await bench(target, ["--rate", String(rate), "--duration", "10s", "--connections", "4"]);
  const { latencyMs, lagMs, offeredRate, achievedRate, errorRate } = result;
  console.log(`a core of the server could do ${couldDo.toFixed(0)}/s`);
  console.log(
    `latency p50 ${latencyMs.p50?.toFixed(3)} ms, p99 ${latencyMs.p99?.toFixed(3)} ms; lag p99 ${lagMs.p99?.toFixed(3)} ms; exit code ${exitCode}`,
  );
  console.log(`achieved ${achievedRate.toFixed(1)}/s of ${offeredRate}/s`);
  const isMissed = achievedRate < offeredRate * 0.99 || errorRate > 0 || exitCode !== 0;
  if (isMissed || couldDo < 10 * rate) process.exitCode = 1;
} finally {
  server.kill("SIGKILL");
}
