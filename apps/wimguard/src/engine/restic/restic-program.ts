import type { Buffer } from "node:buffer";
import type { Readable, Writable } from "node:stream";
import type { RepositoryAccess } from "../engine.ts";
import { type ProgramEnd, runProgram } from "../run-program.ts";
import { localFolderOf, locationOf } from "./repository/repository-location.ts";
import { cleanEnvironment, secretEnvironment } from "./repository/repository-secret.ts";
import { checkResticEnd } from "./restic-failure.ts";

export const program = "restic";

/** How restic is started on a repository. */
export interface ResticStart {
  readonly args: readonly string[];
  readonly folder?: string;
  readonly onStart?: (pid: number) => void;
  readonly onErrorLine?: (line: string) => void;
  /** Writes what restic reads; it reads nothing without it. */
  readonly feed?: (stdin: Writable) => Promise<void>;
  /** Must read to the end. Default: what is printed is not needed. */
  readonly read?: (stdout: Readable) => Promise<void>;
}

/**
 * Runs restic on a repository. Neither its location nor its password is on the command line.
 *
 * @throws FailureError SECRET_UNUSABLE, ENGINE_MISSING, ENGINE_DIED or CANCELLED
 */
export function runRestic(
  { repository, secretRef }: RepositoryAccess,
  { args, read = drain, ...start }: ResticStart,
  signal: AbortSignal,
): Promise<ProgramEnd> {
  // The cache saves requests to another machine; for a folder it would be a second copy.
  const options = localFolderOf(repository) === undefined ? [] : ["--no-cache"];
  const env = {
    ...cleanEnvironment(),
    ...secretEnvironment(secretRef),
    RESTIC_REPOSITORY: locationOf(repository),
    RESTIC_PROGRESS_FPS: "5",
  };
  return runProgram(
    // SIGINT lets restic remove its lock.
    { engine: "restic", program, args: [...options, ...args], env, stopSignal: "SIGINT", read, ...start },
    signal,
  );
}

/** Runs restic and returns what it has printed, which has to be little. */
export async function readRestic(
  access: RepositoryAccess,
  args: readonly string[],
  what: string,
  signal: AbortSignal,
): Promise<string> {
  let text = "";
  const read = async (stdout: Readable): Promise<void> => {
    for await (const chunk of stdout.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  };
  const end = await runRestic(access, { args, read }, signal);
  checkResticEnd(end, { what: `${what} ${locationOf(access.repository)}` });
  return text;
}

async function drain(stdout: Readable): Promise<void> {
  for await (const _ of stdout as AsyncIterable<Buffer>);
}
