/**
 * `npm run bench:attacks [-- WORD …]`: what each attack costs the server and everybody else on it: its memory, its CPU time once the
 * attacker is gone, and how long another connection's calls take. Exit code 1 when one is over its gate.
 *
 * Server and clients have a core each, and the attacker gives way to the victim next to it: elsewhere these two share no processor, and what
 * the victim waits for is to be the server.
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
/** Of one core, once the attacker has been gone for `calmAfterMs`. */
const maxCpuShare = 0.05;
const calmAfterMs = 4000;
const calmMs = 1000;
/** How much longer than next to an attacker that only opens a connection 99 of 100 calls may take … */
const maxSlowdown = 3;
/** … unless that is within one turn of the event loop, which is what a connection may take before others get theirs. */
const turnMs = 20;
const warmUpMs = 2000;
/** With and without the attack in turn, because the other load of the machine comes and goes; medians of the rounds are shown. */
const rounds = 3;
const roundMs = 2000;
const memoryEveryMs = 200;
/** It only opens a connection, which makes the measure of what is normal. */
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
    // Those that attack a server with TLS speak to no other.
    const withoutAttack = <T>(run: () => Promise<T>): Promise<T> =>
      isTls ? run() : whileAttacked(port, harmless, run);
    // Honest load compiles the code and lets the heap take the size that it works with.
    if (isTls) await victim.call(warmUpMs);
    else await whileAttacked(port, "calls without end", () => victim.call(warmUpMs));
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

/** What is over its gate, in words. */
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
// Children inherit it, except for the server.
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
