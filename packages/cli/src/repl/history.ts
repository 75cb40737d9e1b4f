import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { CommandContext } from "../frame/context.ts";

const maxLines = 1000;

/** Returns the path of the history, in the state folder of the XDG base directories. */
export function historyFile(env: CommandContext["env"]): string {
  return join(env.XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "tercel", "history");
}

/** Reads the history in readline's order, newest first; empty if there is none. */
export function readHistory(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .slice(0, maxLines);
  } catch {
    return [];
  }
}

/** Writes the history, readable by the user alone, because messages may contain secrets. Ignores a home folder that is not writable. */
export function writeHistory(file: string, lines: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(
      file,
      lines
        .slice(0, maxLines)
        .map((line) => `${line.replaceAll("\n", " ")}\n`)
        .join(""),
      { mode: 0o600 },
    );
  } catch {
    // The history is optional.
  }
}
