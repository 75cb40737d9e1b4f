import { type H2load, runH2loadCalls } from "../process/h2load.ts";
import type { H2loadFigures } from "../process/h2load-output.ts";
import { callCount } from "./call-count.ts";

/** The maximum length of a warm-up's parts, so that the last one shows the final rate of the server. */
const PART_SECONDS = 1;
/** A shorter rest does not justify another start of h2load. */
const SHORTEST_SECONDS = 0.05;

/**
 * Loads a server for about this time and returns its rate at the end. A time-based run of h2load would break the open calls at its end,
 * and some servers log a stack for each.
 */
export async function warmUp(load: H2load, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  // The first part determines the rate.
  let calls = callCount(0, 0, load);
  let partSeconds = seconds;
  for (;;) {
    const { requestsPerSecond } = await runH2loadCalls(load, calls, partSeconds);
    const leftSeconds = (endMs - performance.now()) / 1000;
    if (leftSeconds < SHORTEST_SECONDS) return requestsPerSecond;
    partSeconds = Math.min(PART_SECONDS, leftSeconds);
    calls = callCount(requestsPerSecond, partSeconds, load);
  }
}

/** Makes as many calls as take about this time at the rate of the warm-up. */
export function runCounted(load: H2load, callsPerSecond: number, seconds: number): Promise<H2loadFigures> {
  return runH2loadCalls(load, callCount(callsPerSecond, seconds, load), seconds);
}
