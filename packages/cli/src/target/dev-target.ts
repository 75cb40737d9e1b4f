import { readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";

/** The record of a run of `tercel dev`, for other commands. */
export interface DevRecord {
  readonly version: 1;
  readonly pid: number;
  /** Path of the Unix socket or named pipe with its events; absent if there is none. */
  readonly socket?: string;
  readonly services: readonly {
    readonly name: string;
    readonly folder: string;
    /** Address, such as `127.0.0.1:50051`; undefined while it does not listen. */
    readonly target?: string;
  }[];
}

/** Path of the record in the folder in which `tercel dev` was started. */
export const devRecordFile = join(".tercel", "dev.json");

/**
 * Returns the address of the service that `tercel dev` runs in a folder: the one whose folder this is or contains it, else the only one.
 * Undefined if none runs, or the choice is ambiguous.
 */
export function devTarget(cwd: string): string | undefined {
  const services = readRecord(cwd)?.services ?? [];
  const own = services.filter(({ folder }) => cwd === folder || cwd.startsWith(folder + sep));
  const [only, second] = own.length > 0 ? own : services;
  return second === undefined ? only?.target : undefined;
}

/** Reads the nearest record from the folder up, since a workspace runs its services from its root. */
function readRecord(cwd: string): DevRecord | undefined {
  for (let at = cwd; ; at = dirname(at)) {
    try {
      const record = JSON.parse(readFileSync(join(at, devRecordFile), "utf8")) as DevRecord;
      if (record.version === 1 && isRunning(record.pid)) return record;
    } catch {
      // No record in this folder.
    }
    if (dirname(at) === at) return undefined;
  }
}

/** Whether a process still runs: a killed one leaves its record. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
