import type { Turn } from "./interleave.ts";

/** What all measurements of a run share. */
export interface Session {
  rounds: number;
  seconds: number;
  /** Command lines of the servers that have been called and found right; undefined when grpc-js is not there to call them. */
  verified: Set<string> | undefined;
  /** What goes before the command line of a program that is to speak TLS; empty for cleartext. */
  tlsWords: readonly string[];
  /** Tells whoever waits what is being measured, and the figure of each turn. */
  progress(text: string): void;
}

/**
 * Load before a process is measured for the first time, whatever the length of the rounds. V8 compiles by number of
 * calls, so the slowest need the longest: after one second grpc-js makes half of the calls that it makes after three,
 * and connect-node gets faster for about five. A shorter warm-up would measure peers cold and flatter Tercel.
 */
export const FIRST_WARM_UP_SECONDS = 5;
/** Load before each further measurement of the same process, which has done nothing since its last turn. */
export const WARM_UP_SECONDS = 1;

/** Reports a turn during the run. */
export function reportTurn(session: Session, name: string, round: number, turn: Turn): Turn {
  const cpu = turn.cpuMicros === undefined ? "" : `, ${turn.cpuMicros.toFixed(2)} µs CPU each`;
  session.progress(`  round ${round + 1}, ${name}: ${Math.round(turn.value)}${cpu}`);
  return turn;
}
