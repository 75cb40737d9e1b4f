import { type H2load, runH2loadCalls } from "../process/h2load.ts";
import type { H2loadFigures } from "../process/h2load-output.ts";
import { callCount } from "./call-count.ts";

/** Parts of a warm-up are no longer than this, so that the last one shows the rate that the server has come to. */
const PART_SECONDS = 1;
/** A rest shorter than this is not worth another start of h2load. */
const SHORTEST_SECONDS = 0.05;

/**
 * Loads a server for about so long and returns its rate at the end. A time-based run of h2load would cut off the calls that are open when it
 * ends, and some servers write a stack into their log for each.
 */
export async function warmUp(load: H2load, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  // The first part finds the rate.
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

/** Makes as many calls as take about so long at the rate that the warm-up has shown. */
export function runCounted(load: H2load, callsPerSecond: number, seconds: number): Promise<H2loadFigures> {
  return runH2loadCalls(load, callCount(callsPerSecond, seconds, load), seconds);
}
