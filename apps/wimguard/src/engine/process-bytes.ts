import { readFileSync } from "node:fs";

/** Bytes that the kernel says a process has read or written so far; 0 for one that has ended. */
export function processBytes(pid: number | undefined, counter: "rchar" | "wchar"): number {
  try {
    return Number(new RegExp(`^${counter}: (\\d+)`, "m").exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
