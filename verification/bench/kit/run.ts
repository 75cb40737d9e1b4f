/** `npm run bench -- kit [starts|config|relay|calls] [--rounds N] [--seconds S] [--json]`: measures the cost of @tercel/service. See README.md. */
import { type LoadCost, measureConfig } from "../config/run.ts";
import { renderStacks, type StackFigures } from "../interceptors/table.ts";
import { parseRoundOptions } from "../round-options.ts";
import { type Budget, isKept, renderBudgets } from "./budgets.ts";
import { measureCalls } from "./calls.ts";
import { measureRelay } from "./relay.ts";
import { kitSubjects } from "./servers.ts";
import { measureStarts } from "./starts.ts";

const parts = ["starts", "config", "relay", "calls"] as const;
/** The peers that must take more CPU time per call than @tercel/service. */
const rivals = ["go-middleware", "go-middleware-kept"];

/** Exit codes: 0 every budget is met and the peers take more CPU time; 1 otherwise, or a server failed. @throws UsageError */
export async function runKitBench(args: readonly string[]): Promise<number> {
  const { chosen, rounds, seconds, json } = parseRoundOptions(args, { rounds: 9, seconds: 3 }, parts);
  const isWanted = (part: (typeof parts)[number]): boolean => chosen.length === 0 || chosen.includes(part);
  const budgets: Budget[] = [];
  if (isWanted("starts")) budgets.push(...(await measureStarts(rounds)));
  if (isWanted("config")) budgets.push(configBudget(await measureConfig(rounds)));
  if (isWanted("relay")) budgets.push(...(await measureRelay(rounds)));
  if (budgets.length > 0 && !json) process.stdout.write(renderBudgets(budgets));
  // Last, because it pins this process to the core of the load.
  const calls = isWanted("calls") ? await measureCalls(rounds, seconds) : [];
  if (calls.length > 0 && !json) {
    process.stdout.write(renderStacks("server/unary/10x10", "call", calls));
    for (const { name, has } of kitSubjects) process.stdout.write(`  ${name} has ${has}\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ budgets, calls }, null, 2)}\n`);
  return budgets.every(isKept) && (calls.length === 0 || isAhead(calls)) ? 0 : 1;
}

/** The first load, as at a start. */
function configBudget({ firstMs, firstCpuMs, laterMs }: LoadCost): Budget {
  const note = `${firstCpuMs.toFixed(0)} ms CPU; ${laterMs.toFixed(0)} ms when it is read again`;
  return {
    name: "a configuration of 500 keys loads in",
    unit: "ms",
    measured: firstMs,
    limit: 15,
    isKeptBelow: true,
    note,
  };
}

function isAhead(calls: readonly StackFigures[]): boolean {
  const cpuOf = (name: string): number => calls.find((one) => one.name === name)?.cpuMicros ?? Number.NaN;
  return rivals.every((rival) => cpuOf("kit") < cpuOf(rival));
}
