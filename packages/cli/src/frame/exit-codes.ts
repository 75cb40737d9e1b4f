import type { Code } from "@connectrpc/connect";

/** The exit codes of the program. Scripts depend on them: a number never changes its meaning. */
export const exitCodes = {
  ok: 0,
  /** A failure without its own code. */
  failed: 1,
  /** The command line is invalid. */
  usage: 2,
  /** A part failed, something is unhealthy, or a measured figure missed its limit. */
  partial: 3,
  /** A configuration, a .proto file or a message to send is invalid. */
  invalidInput: 4,
  notFound: 5,
  /** A wait timed out. */
  timeout: 6,
  /** No server could be reached. */
  noConnection: 7,
  /** Generated files are out of date. */
  stale: 8,
  /** 128 + SIGINT */
  interrupted: 130,
  /** 128 + SIGTERM */
  terminated: 143,
} as const;

/** Returns 64 + n for a call that failed with status n, so that a script can distinguish NOT_FOUND (69) from ALREADY_EXISTS (70). */
export function statusExitCode(code: Code): number {
  return 64 + code;
}
