// Projects for tests of tercel dev: created by tercel new, with the packages of this repository.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { folderWithPackages } from "./new-projects.ts";
import { type CliRun, runCli } from "./run-cli.ts";

/** A run of tercel dev in this process. */
export interface DevRun {
  /** Resolves to the first matching line among those that were not awaited yet. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Returns all output so far. */
  output(): string;
  /** Stops the run as Ctrl-C does. */
  stop(): Promise<CliRun>;
}

/** Creates a service in a folder, without installing packages. */
export async function makeService(cwd: string, name: string, flags: readonly string[] = []): Promise<string> {
  const args = ["new", name, "--yes", "--no-install", "--no-git", ...flags];
  const { exitCode, stderr } = await runCli(args, { cwd });
  if (exitCode !== 0) throw new Error(stderr);
  return join(cwd, name);
}

/** Creates a temporary folder with a service that uses the packages of this repository. */
export function makeProject(t: TestContext, name = "user-service", flags: readonly string[] = []): Promise<string> {
  return makeService(folderWithPackages(t), name, flags);
}

/** Starts tercel dev in a folder; it is stopped at the end of the test at the latest. */
export function startDev(t: TestContext, cwd: string, args: readonly string[] = []): DevRun {
  const controller = new AbortController();
  const lines: string[] = [];
  let printed = "";
  let rest = "";
  let at = 0;
  let wake = (): void => {};
  const onText = (text: string): void => {
    printed += text;
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  };
  const ended = runCli(["dev", ...args], { cwd, signal: controller.signal, onStdout: onText, onStderr: onText });
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
    wake();
  });
  const stop = (): Promise<CliRun> => {
    controller.abort();
    return ended;
  };
  t.after(stop);
  return {
    async line(pattern) {
      for (;;) {
        for (; at < lines.length; at++) {
          const found = pattern.exec(lines[at] ?? "");
          if (found === null) continue;
          at++;
          return found;
        }
        if (hasEnded) throw new Error(`tercel dev ended without a line like ${pattern}:\n${printed}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    output: () => printed,
    stop,
  };
}

/** Replaces a text that occurs once in a file. */
export function editFile(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} does not have ${JSON.stringify(from)} once`);
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
}
