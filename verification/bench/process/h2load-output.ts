const SECONDS_PER_UNIT: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1 };

/** The result of a run of h2load. */
export interface H2loadFigures {
  requestsPerSecond: number;
  /** The number of responses with a status from 200 to 399. */
  succeeded: number;
  /** Received bytes of DATA frames. */
  dataBytes: number;
}

/**
 * Parses h2load's summary. Throws if a request failed, if there were no responses, or if the responses are on
 * average shorter than `leastResponseBytes`: h2load checks the HTTP status only, and a failed gRPC call is a 200
 * without a body.
 */
export function parseH2loadOutput(output: string, leastResponseBytes: number): H2loadFigures {
  const requests =
    /^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$/m.exec(
      output,
    );
  const finished = /^finished in ([\d.]+)(us|ms|s), /m.exec(output);
  const statuses = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$/m.exec(output);
  const traffic = /\((\d+)\) data$/m.exec(output);
  if (requests === null || finished === null || statuses === null || traffic === null) {
    throw new Error(`h2load said something unknown: "${output.trim().slice(-300)}"`);
  }
  const [done, succeeded, failed, errored, timedOut] = requests.slice(1).map(Number);
  if (failed !== 0 || errored !== 0 || timedOut !== 0 || done !== succeeded) {
    throw new Error(`of ${done} requests ${failed} failed, ${errored} errored and ${timedOut} timed out`);
  }
  if (succeeded === undefined || succeeded === 0) throw new Error("no request got a response");
  const ok = Number(statuses[1]);
  if (ok < succeeded) throw new Error(`${succeeded - ok} of ${succeeded} requests got a status other than 2xx`);
  const dataBytes = Number(traffic[1]);
  if (dataBytes < succeeded * leastResponseBytes) {
    throw new Error(
      `${succeeded} responses have ${dataBytes} bytes together, expected at least ${leastResponseBytes} each: calls failed with a gRPC status`,
    );
  }
  return { requestsPerSecond: succeeded / elapsedSeconds(finished), succeeded, dataBytes };
}

/**
 * h2load's own rate divides by the requested time. If a run took longer, because h2load did not get its core in
 * time, that rate would be wrong. So the rate is computed from the elapsed time.
 */
function elapsedSeconds([, amount, unit]: RegExpExecArray): number {
  return Number(amount) * (SECONDS_PER_UNIT[unit ?? ""] ?? Number.NaN);
}
