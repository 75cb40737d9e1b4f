/**
 * `npm run bench:loop-delay [-- WORD …]` measures how long a turn of the server's event loop takes while one hostile connection sends as fast as it
 * can. Every other connection of the process waits for that time. Exit code 1 if the 99th percentile of an attack exceeds the limit.
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

/** Resolves to the number of connections of the attack, if it is known. */
type RunAttack = (port: number, signal: AbortSignal) => Promise<number | undefined>;

/** Runs the attack in its own process. */
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

/** Starts a new server for each attack, so that one does not affect the next. */
async function measure(run: RunAttack): Promise<{ turns: TurnLengths; connections: number | undefined }> {
  const server = fork(new URL("server.ts", import.meta.url), { env: { ...process.env, NODE_ENV: "production" } });
  const exited = once(server, "exit");
  try {
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    const over = new AbortController();
    const attacking = run(port, over.signal);
    // V8 compiles during the first second.
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
