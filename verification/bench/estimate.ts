import type { BenchCase } from "./case.ts";
import { FIRST_WARM_UP_SECONDS, WARM_UP_SECONDS } from "./measure/session.ts";
import { WARM_UP_SECONDS as CLIENT_WARM_UP_SECONDS } from "./peers/echo-values.ts";

/** The time for starting, connecting, verifying and ending a process. */
const PROCESS_SECONDS = 1;
/** The time for opening connections or streams until their memory is stable, and for the transfers over the link. */
const OPENING_SECONDS = 4;
/** 100 MB over the slowest link, and the preparation. */
const TRANSFER_SECONDS = 15;
/** Estimated from the slowest subject with a million calls, and from the mean of all. */
const SECONDS_PER_CALL = 20e-6;

/** Returns about how long a case takes with a number of subjects. It only decides whether the case is started. */
export function estimatedSeconds(
  { work, maxRounds }: BenchCase,
  subjects: number,
  options: { readonly rounds: number; readonly seconds: number },
): number {
  const rounds = Math.min(options.rounds, maxRounds ?? options.rounds);
  const perRound = (seconds: number): number => subjects * rounds * (PROCESS_SECONDS + seconds);
  switch (work.kind) {
    case "h2load":
      if (work.coldWarmUpSeconds !== undefined) return perRound(work.coldWarmUpSeconds + options.seconds);
      return perRound(WARM_UP_SECONDS + options.seconds) + subjects * FIRST_WARM_UP_SECONDS;
    case "open-loop":
      return perRound(WARM_UP_SECONDS + options.seconds) + subjects * FIRST_WARM_UP_SECONDS;
    case "client":
    case "client-stream":
    case "pair":
      return perRound(CLIENT_WARM_UP_SECONDS + options.seconds);
    case "start":
      return perRound(work.moreCalls * SECONDS_PER_CALL);
    case "idle":
    case "open-streams":
      return perRound(OPENING_SECONDS);
    case "pick":
      return rounds * (PROCESS_SECONDS + 2 * options.seconds);
    case "link":
      return rounds * TRANSFER_SECONDS;
  }
}
