import type { BenchCase } from "../case.ts";
import { BENCH_CASES } from "../cases.ts";
import type { BenchOptions } from "../options.ts";
import { PEERS } from "../subjects.ts";

/** Subjects that show a limit and are no framework. */
export const LIMITS = ["canned"];

/** Rows of the README's table; the page has all. */
const README_CASES: readonly string[] = [
  "server/unary/10x10",
  "server/unary/50x1",
  "server/unary/1x1",
  "server/unary/1x100",
  "server/list",
  "server/timer",
  "server/stream",
  "server/stream/16KiB",
  "server/client-stream",
  "server/large",
  "client/unary/1",
  "client/unary/100",
  "client/stream",
  "client/stream/16KiB",
  "pair/stream",
  "latency/2000",
  "start/first-answer",
  "memory/after-start",
  "memory/idle-connection",
  "memory/open-stream",
  "tls/server/unary/10x10",
];

/** What is published: every case that peers are measured in, medians of three rounds of a second and a half. */
export const recipe: Pick<BenchOptions, "cases" | "peers" | "rounds" | "seconds"> = {
  cases: BENCH_CASES.filter(({ work }) => hasPeers(work)).map(({ name }) => name),
  peers: PEERS.map(({ name }) => name),
  rounds: 3,
  seconds: 1.5,
};

export function isReadmeCase({ name }: { readonly name: string }): boolean {
  return README_CASES.includes(name);
}

function hasPeers({ kind }: BenchCase["work"]): boolean {
  return kind !== "pick" && kind !== "link";
}
