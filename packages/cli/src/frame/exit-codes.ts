import type { Code } from "@connectrpc/connect";

/** What the exit code of the program means. Scripts depend on these: a number never changes its meaning. */
export const exitCodes = {
  ok: 0,
  /** Something failed that has no code of its own. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** A part failed, something is unhealthy, or a measured figure missed its limit. */
  partial: 3,
  /** A configuration, a .proto file or a message to send is wrong. */
  invalidInput: 4,
  notFound: 5,
  /** What was waited for did not happen in time. */
  timeout: 6,
  /** No server could be reached. */
  noConnection: 7,
  /** Generated files differ from what the .proto files say. */
  stale: 8,
  /** 128 + SIGINT */
  interrupted: 130,
  /** 128 + SIGTERM */
  terminated: 143,
} as const;

/** Calls that a server ended with status n exit with 64 + n, so that a script can tell NOT_FOUND (69) from ALREADY_EXISTS (70). */
export function statusExitCode(code: Code): number {
  return 64 + code;
}
