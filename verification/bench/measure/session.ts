import type { Turn } from "./interleave.ts";

/** The state that all measurements of a run share. */
export interface Session {
  rounds: number;
  seconds: number;
  /** The command lines of the verified servers; undefined if grpc-js is not installed. */
  verified: Set<string> | undefined;
  /** The words before the command line of a program that uses TLS; empty for cleartext. */
  tlsWords: readonly string[];
  /** Reports what is being measured, and the figure of each turn. */
  progress(text: string): void;
}

/**
 * The warm-up before the first measurement of a process, independent of the length of the rounds. V8 compiles by number of
 * calls, so slow subjects need the longest. After one second grpc-js makes half of the calls that it makes after three,
 * and connect-node gets faster for about five. A shorter warm-up would measure cold peers and favour Tercel.
 */
export const FIRST_WARM_UP_SECONDS = 5;
/** The warm-up before each further measurement of the same process, which was idle since its last turn. */
export const WARM_UP_SECONDS = 1;

/** Reports a turn during the run. */
export function reportTurn(session: Session, name: string, round: number, turn: Turn): Turn {
  const cpu = turn.cpuMicros === undefined ? "" : `, ${turn.cpuMicros.toFixed(2)} µs CPU each`;
  session.progress(`  round ${round + 1}, ${name}: ${Math.round(turn.value)}${cpu}`);
  return turn;
}
