import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A program of this repository that serves. */
export interface TargetProgram {
  readonly program: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Matches the line, on either output, with its port. */
  readonly ready: RegExp;
}

/** A listening server. */
export interface StartedTarget {
  readonly port: string;
  end(): Promise<void>;
}

/** Starts a server. Rejects with its output if it ends before it listens. */
export async function startTarget({ program, args = [], env, ready }: TargetProgram): Promise<StartedTarget> {
  const child = spawn(process.execPath, ["--conditions=source", program, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  const port = await new Promise<string>((resolve, reject) => {
    const written: string[] = [];
    for (const input of [child.stdout, child.stderr]) {
      // Read to the end, because the server would block if its pipe were full.
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
