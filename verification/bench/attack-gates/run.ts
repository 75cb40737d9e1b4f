/**
 * `npm run bench:attacks [-- WORD …]` measures what each attack costs the server and its other clients: memory, CPU time after the
 * attacker has left, and the latency of calls on another connection. Exit code 1 if one exceeds its gate.
 *
 * The server has one core and the clients have the other. The attacker has a lower priority than the victim, because on real systems they
 * do not share a core, and the victim must wait for the server only.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { http1Attacks } from "../gateway/http1-attacks.ts";
import { attacks } from "../loop-delay/attacks.ts";
import { median } from "../measure/statistics.ts";
import { LOAD_CORE, MEASURED_CORE, pinned, pinSelf } from "../process/pinned.ts";
import { readCpuMicros, readResidentBytes } from "../process/process-usage.ts";
import { gatewayHttp2Attacks } from "./gateway-http2-attacks.ts";
import { readingAttacks } from "./reading-attacks.ts";
import { socketAttacks } from "./socket-attacks.ts";
import { Victim, type VictimTimes } from "./victim.ts";

const maxGrowthBytes = 64 * 2 ** 20;
/** The share of one core, `calmAfterMs` after the attacker has left. */
const maxCpuShare = 0.05;
const calmAfterMs = 4000;
const calmMs = 1000;
/** Limit for the 99th percentile, relative to an attacker that only opens a connection … */
const maxSlowdown = 3;
/** … unless it is within one turn of the event loop, which a connection may take before others are served. */
const turnMs = 20;
const warmUpMs = 2000;
/** Rounds with and without the attack in turn, because the other load of the machine changes. The medians are reported. */
const rounds = 3;
const roundMs = 2000;
const memoryEveryMs = 200;
/** Only opens a connection, as the baseline. */
const harmless = "nothing, for comparison";

interface Result {
  readonly normalP99Ms: number;
  readonly attackedP99Ms: number;
  readonly failedCalls: number;
  readonly growthBytes: number;
  readonly cpuShareAfter: number;
}

async function measure(name: string): Promise<Result> {
  const [execPath, ...execArgv] = pinned(MEASURED_CORE, [process.execPath, ...process.execArgv]);
  const isTls = socketAttacks[name]?.isTls === true;
  const server = fork(join(import.meta.dirname, "../loop-delay/server.ts"), isTls ? ["tls"] : [], {
    execPath,
    execArgv,
  });
  const exited = once(server, "exit");
  try {
    const [{ port, certificate }] = (await once(server, "message")) as [{ port: number; certificate?: string }];
    const pid = server.pid as number;
    const victim = new Victim(port, certificate);
    // Attacks on TLS run against a server with TLS only.
    const withoutAttack = <T>(run: () => Promise<T>): Promise<T> =>
      isTls ? run() : whileAttacked(port, harmless, run);
    // Honest load lets V8 compile the code and the heap reach its working size.
    if (isTls) await victim.call(warmUpMs);
    else await whileAttacked(port, "endless calls", () => victim.call(warmUpMs));
    const normal: VictimTimes[] = [];
    const attacked: VictimTimes[] = [];
    const before = readResidentBytes(pid);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, readResidentBytes(pid));
    }, memoryEveryMs);
    for (let round = 0; round < rounds; round++) {
      normal.push(await withoutAttack(() => victim.call(roundMs)));
      attacked.push(await whileAttacked(port, name, () => victim.call(roundMs)));
    }
    clearInterval(watch);
    await sleep(calmAfterMs);
    const cpuBefore = readCpuMicros(pid);
    await sleep(calmMs);
    const cpuShareAfter = (readCpuMicros(pid) - cpuBefore) / (calmMs * 1000);
    await victim.close();
    return {
      normalP99Ms: median(normal.map(({ p99Ms }) => p99Ms)),
      attackedP99Ms: median(attacked.map(({ p99Ms }) => p99Ms)),
      failedCalls: [...normal, ...attacked].reduce((sum, { failed }) => sum + failed, 0),
      growthBytes: most - before,
      cpuShareAfter,
    };
  } finally {
    server.disconnect();
    await exited;
  }
}

async function whileAttacked<T>(port: number, name: string, run: () => Promise<T>): Promise<T> {
  const words = [...process.execArgv, join(import.meta.dirname, "attacker.ts"), String(port), name];
  const attacker: ChildProcess = spawn(process.execPath, words, { stdio: ["ignore", "inherit", "inherit"] });
  const exited = once(attacker, "exit");
  setPriority(attacker.pid as number, constants.priority.PRIORITY_LOW);
  try {
    return await run();
  } finally {
    attacker.kill("SIGKILL");
    await exited;
  }
}

/** Describes the figures that exceed their gates. */
function faults({ normalP99Ms, attackedP99Ms, failedCalls, growthBytes, cpuShareAfter }: Result): string[] {
  const wrong: string[] = [];
  if (growthBytes > maxGrowthBytes) wrong.push("memory");
  if (cpuShareAfter >= maxCpuShare) wrong.push("CPU time afterwards");
  if (attackedP99Ms > Math.max(turnMs, maxSlowdown * normalP99Ms)) wrong.push("slow calls");
  if (failedCalls > 0) wrong.push(`${failedCalls} failed calls`);
  return wrong;
}

const words = process.argv.slice(2);
const known = [attacks, readingAttacks, socketAttacks, http1Attacks, gatewayHttp2Attacks].flatMap((some) =>
  Object.keys(some),
);
const names = known.filter(
  (name) => name !== harmless && (words.length === 0 || words.some((word) => name.includes(word))),
);
if (names.length === 0) {
  console.error(`no attack has one of these words in its name; there are: ${known.join(", ")}`);
  process.exit(2);
}
// Children inherit the core, except for the server.
pinSelf(LOAD_CORE);
console.log(
  `Gates: memory +${maxGrowthBytes / 2 ** 20} MiB; ${100 * maxCpuShare} % of a core ${(calmAfterMs + calmMs) / 1000} s after the attack; ` +
    `the 99th percentile of another connection's calls ${maxSlowdown} × normal, or ${turnMs} ms\n`,
);
console.log("normal p99  p99 ms    ratio   memory     CPU then  one hostile connection sends");
for (const name of names) {
  const result = await measure(name);
  const { normalP99Ms, attackedP99Ms, growthBytes, cpuShareAfter } = result;
  const wrong = faults(result);
  if (wrong.length > 0) process.exitCode = 1;
  console.log(
    [
      normalP99Ms.toFixed(1).padEnd(12),
      attackedP99Ms.toFixed(1).padEnd(10),
      (attackedP99Ms / normalP99Ms).toFixed(1).padEnd(8),
      `${(growthBytes / 2 ** 20).toFixed(1)} MiB`.padEnd(11),
      `${(100 * cpuShareAfter).toFixed(0)} %`.padEnd(10),
      name,
      wrong.length === 0 ? "" : `  OVER: ${wrong.join(", ")}`,
    ].join(""),
  );
}
