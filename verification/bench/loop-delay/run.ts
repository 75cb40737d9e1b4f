/**
 * `npm run bench:loop-delay [-- WORD …]`: how long the server's event loop takes for a turn while one hostile connection sends as fast as it
 * can, which is what every other connection of the process has to wait. Exit code 1 when the 99th percentile of an attack is over the limit.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readingAttacks } from "../attack-gates/reading-attacks.ts";
import { attack } from "./attack.ts";
import { attacks } from "./attacks.ts";
import type { TurnLengths } from "./server.ts";

const maxP99Ms = 20;
const seconds = 3;

/** Returns how many connections the attack took, where that is known. */
type RunAttack = (port: number, signal: AbortSignal) => Promise<number | undefined>;

/** In a process of its own, which ends it. */
function readingAttack(name: string): RunAttack {
  return async (port, signal) => {
    const attacker = fork(join(import.meta.dirname, "../attack-gates/attacker.ts"), [String(port), name]);
    const exited = once(attacker, "exit");
    signal.addEventListener("abort", () => attacker.kill("SIGKILL"));
    await exited;
    return undefined;
  };
}

const runs: Readonly<Record<string, RunAttack>> = {
  ...Object.fromEntries(
    Object.entries(attacks).map(([name, bytes]): [string, RunAttack] => [
      name,
      (port, signal) => attack(port, bytes, signal),
    ]),
  ),
  ...Object.fromEntries(Object.keys(readingAttacks).map((name) => [name, readingAttack(name)])),
};

/** A process for each attack: what one has left over must not weigh on the next. */
async function measure(run: RunAttack): Promise<{ turns: TurnLengths; connections: number | undefined }> {
  const server = fork(new URL("server.ts", import.meta.url), { env: { ...process.env, NODE_ENV: "production" } });
  const exited = once(server, "exit");
  try {
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    const over = new AbortController();
    const attacking = run(port, over.signal);
    // The first second goes to the compiler.
    await sleep(1000);
    server.send("start");
    await sleep(seconds * 1000);
    const reported = once(server, "message");
    server.send("report");
    const [turns] = (await reported) as [TurnLengths];
    over.abort();
    return { turns, connections: await attacking };
  } finally {
    server.disconnect();
    await exited;
  }
}

let isTooLate = false;
console.log(
  `CPU time of a turn of the server's event loop in ms, ${seconds} s each; the limit is ${maxP99Ms} at p99\n`,
);
console.log("p50    p99    max    connections  one hostile connection sends");
const words = process.argv.slice(2);
for (const [name, run] of Object.entries(runs)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  const { turns, connections } = await measure(run);
  const column = (ms: number): string => ms.toFixed(1).padEnd(7);
  const exceeded = Object.entries(turns.strikes).map(([limit, times]) => `${limit} ×${times}`);
  console.log(
    `${column(turns.p50Ms)}${column(turns.p99Ms)}${column(turns.maxMs)}${String(connections ?? "").padEnd(13)}${name}${exceeded.length === 0 ? "" : ` (${exceeded.join(", ")})`}`,
  );
  isTooLate ||= turns.p99Ms > maxP99Ms;
}
if (isTooLate) process.exitCode = 1;
