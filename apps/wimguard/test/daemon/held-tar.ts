import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterwards, type CleanupContext } from "./cleanup.ts";

/** A tar that can be made to wait before it does anything, without taking processor time: jobs then last until a test lets them end. */
export interface HeldTar {
  /** For the environment of whoever starts it. */
  readonly path: string;
  /** From now on tar waits when it is started. */
  hold(): void;
  /** Lets those that wait continue, and later ones start at once. */
  release(): void;
}

/** Puts it before the system's for what this process starts. */
export function useHeldTar(context: CleanupContext, { path }: Pick<HeldTar, "path">): void {
  const before = process.env.PATH;
  process.env.PATH = path;
  afterwards(context, () => {
    process.env.PATH = before;
  });
}

/** Makes one in a folder of the test. It is released after the test at the latest. */
export function makeHeldTar(context: CleanupContext, folder: string): HeldTar {
  const programs = join(folder, "programs");
  const gate = join(folder, "gate");
  mkdirSync(programs);
  execFileSync("mkfifo", [gate]);
  const tar = execFileSync("sh", ["-c", "command -v tar"], { encoding: "utf8" }).trim();
  // Opening a pipe to read waits until somebody has opened it to write.
  const script = `#!/bin/bash\n[ "$1" = --version ] || : < '${gate}'\nexec -a tar '${tar}' "$@"\n`;
  writeFileSync(join(programs, "tar"), script, { mode: 0o700 });
  let open: number | undefined;
  const held: HeldTar = {
    path: [programs, process.env.PATH].join(delimiter),
    hold() {
      if (open !== undefined) closeSync(open);
      open = undefined;
    },
    release() {
      open ??= openSync(gate, constants.O_RDWR | constants.O_NONBLOCK);
    },
  };
  held.release();
  afterwards(context, () => {
    held.release();
    held.hold();
  });
  return held;
}
