// Follows docs/guides/getting-started.md like a reader: in an empty folder next to the tarballs, command by command.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { type StartedProgram, startCommand } from "@tercel/test-support/programs";
import { readMarkdown } from "../docs/read-markdown.ts";
import { runAsUser, userEnvironment } from "./packed-project.ts";

const root = resolve(import.meta.dirname, "../..");
const page = join(root, "docs/guides/getting-started.md");

/** The folders of the reader. */
export interface Reader {
  /** The folder of the service, after it was created. */
  readonly service: string;
  /** The folder with Tercel's packages, next to the folder in which the reader begins. */
  readonly tarballs: string;
  /** npm's cache of the reader, which is empty at the beginning. Everything else comes from the registry. */
  readonly npmCache: string;
  /** Returns the commands of a step: the first snippet that begins with this text. */
  step(beginning: string): string;
  /** Runs commands in the folder of the service, or in its parent folder. */
  run(commands: string, cwd?: string): string;
  /** Prints how long a step took. */
  time<Result>(what: string, work: () => Result | Promise<Result>): Promise<Result>;
}

/** Creates a reader with an empty folder, next to one with the tarballs. */
export function createReader(t: TestContext, tarballs: readonly string[]): Reader {
  const folder = mkdtempSync(join(tmpdir(), "tercel-started-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const packages = join(folder, "tercel-packages");
  mkdirSync(packages);
  for (const tarball of tarballs) cpSync(tarball, join(packages, basename(tarball)));
  const npmCache = join(folder, "npm-cache");
  // A lock file names the sources of packages, unless npm is configured otherwise.
  const npmSettings = { npm_config_cache: npmCache, npm_config_omit_lockfile_registry_resolved: "false" };
  const empty = join(folder, "empty");
  mkdirSync(empty);
  const service = join(empty, "user-service");
  const snippets = readMarkdown(readFileSync(page, "utf8")).snippets.filter(({ marks }) => marks[0] === "sh");
  return {
    service,
    tarballs: packages,
    npmCache,
    step: (beginning) =>
      snippets.find(({ text }) => text.startsWith(beginning))?.text ?? assert.fail(`${page} has no ${beginning}`),
    run: (commands, cwd = existsSync(service) ? service : empty) =>
      runAsUser("bash", ["-euo", "pipefail", "-c", commands], cwd, npmSettings).stdout,
    async time(what, work) {
      const startedAtMs = performance.now();
      const result = await work();
      t.diagnostic(`${what}: ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`);
      return result;
    },
  };
}

/** `npx tercel dev`, in a second terminal. */
export interface RunningDev {
  /** Resolves to the next line that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Stops it like Ctrl-C. */
  stop(): Promise<void>;
}

export async function startDev(
  t: TestContext,
  { service, step }: Reader,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningDev> {
  const command = step("npx tercel dev");
  const script = `cd "$0" && exec ${command} 2>&1`;
  const program: StartedProgram = startCommand(t, "/bin/sh", ["-c", script, service], {
    ...cleared(),
    ...env,
  });
  const line = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(await program.line());
      if (found !== null) return found;
    }
  };
  return {
    line,
    async stop() {
      // npx does not forward every signal. A terminal sends it to the whole process group.
      const { pid } = JSON.parse(readFileSync(join(service, ".tercel/dev.json"), "utf8")) as { pid: number };
      process.kill(pid, "SIGINT");
      assert.deepEqual(await program.ended, [0, null]);
    },
  };
}

/** Variables of the test runner, which a reader does not have. */
function cleared(): Record<string, string> {
  const kept = userEnvironment();
  return Object.fromEntries(Object.keys(process.env).flatMap((name) => (name in kept ? [] : [[name, ""]])));
}

/** Makes the change in the handlers that the guide describes. */
export function changeHandler({ service }: Reader): void {
  const texts = readMarkdown(readFileSync(page, "utf8")).snippets.filter(({ text }) =>
    text.startsWith("store.create("),
  );
  const [before, after] = texts.map(({ text }) => text);
  assert.ok(before !== undefined && after !== undefined, `${page} shows what is replaced, and by what`);
  const file = join(service, "src/users.ts");
  const handlers = readFileSync(file, "utf8");
  assert.equal(handlers.split(before).length, 2, `${file} has ${before} once`);
  writeFileSync(
    file,
    handlers.replace(before, () => after),
  );
}

/** Links a package of this repository into the service, so that it is not downloaded again. */
export function lendPackage({ service }: Reader, name: string): void {
  symlinkSync(join(root, "node_modules", name), join(service, "node_modules", name));
}
