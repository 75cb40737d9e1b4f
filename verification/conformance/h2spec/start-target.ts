import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A server as a program of this repository. */
export interface TargetProgram {
  readonly program: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A line on either output that says that it listens, and its port. */
  readonly ready: RegExp;
}

/** A server that listens. */
export interface StartedTarget {
  readonly port: string;
  end(): Promise<void>;
}

/** Starts a server; rejects with what it has written when it ends before it listens. */
export async function startTarget({ program, args = [], env, ready }: TargetProgram): Promise<StartedTarget> {
  const child = spawn(process.execPath, ["--conditions=source", program, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  const port = await new Promise<string>((resolve, reject) => {
    const written: string[] = [];
    for (const input of [child.stdout, child.stderr]) {
      // Read to the end, or the server would stop when its pipe is full.
      createInterface({ input }).on("line", (line) => {
        const found = ready.exec(line)?.[1];
        if (found !== undefined) resolve(found);
        else if (written.length < 100) written.push(line);
      });
    }
    ended.then(() => reject(new Error(`${program} ended before it listened:\n${written.join("\n")}`)), reject);
  });
  return {
    port,
    async end() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
