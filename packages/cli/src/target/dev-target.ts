import { readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** What a run of `tercel dev` tells other commands. */
export interface DevRecord {
  readonly version: 1;
  readonly pid: number;
  /** The Unix socket, or named pipe, on which it says what happens; absent where there is none. */
  readonly socket?: string;
  readonly services: readonly {
    readonly name: string;
    readonly folder: string;
    /** `127.0.0.1:50051`; undefined while it does not listen. */
    readonly target?: string;
  }[];
}

/** Where the record is, in the folder in which `tercel dev` was started. */
export const devRecordFile = join(".tercel", "dev.json");

/**
 * Where the service listens that `tercel dev` runs in a folder: the one whose folder this is or is in, else the only one. Undefined where none
 * runs, or it is not clear which is meant.
 */
export function devTarget(cwd: string): string | undefined {
  const services = readRecord(cwd)?.services ?? [];
  const own = services.filter(({ folder }) => cwd === folder || cwd.startsWith(folder + sep));
  const [only, second] = own.length > 0 ? own : services;
  return second === undefined ? only?.target : undefined;
}

/** From the folder up, since a service of a workspace is run from there. */
function readRecord(cwd: string): DevRecord | undefined {
  for (let at = cwd; ; at = dirname(at)) {
    try {
      const record = JSON.parse(readFileSync(join(at, devRecordFile), "utf8")) as DevRecord;
      if (record.version === 1 && isRunning(record.pid)) return record;
    } catch {
      // There is none here.
    }
    if (dirname(at) === at) return undefined;
  }
}

/** A run that was killed leaves its record behind. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
