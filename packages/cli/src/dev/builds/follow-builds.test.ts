import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import type { CommandContext } from "../../frame/context.ts";
import { Output } from "../../frame/output.ts";
import type { Build } from "./build.ts";
import { followBuilds } from "./follow-builds.ts";

/** Writes the words of page/*.txt to dist/words.txt, and counts its runs in runs.txt; fails for the word "wrong", and warns of "odd". */
const program = `
import { appendFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
appendFileSync("runs.txt", "run\\n");
const words = globSync("page/**/*.txt").sort().map((file) => readFileSync(file, "utf8")).join(" ");
if (words.includes("wrong")) {
  console.log("page/a.txt: wrong word");
  process.exit(3);
}
if (words.includes("odd")) console.error("warning: odd");
if (words.includes("endless")) setInterval(() => {}, 1000);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/words.txt", words);
`;

interface Followed {
  readonly folder: string;
  readonly build: Build;
  readonly rebuilt: readonly string[];
  write(file: string, text: string): void;
  read(file: string): string;
  runs(): number;
  /** Resolves when a line of the output matches that was not awaited yet. */
  line(pattern: RegExp): Promise<void>;
  output(): string;
  begin(options?: {
    readonly isWatched?: boolean;
    readonly more?: readonly Build[];
  }): Promise<(file: string) => boolean>;
  abort(): void;
}

function follow(t: TestContext, changes: Partial<Build> = {}): Followed {
  const folder = mkdtempSync(join(tmpdir(), "tercel-follow-"));
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  const read = (file: string): string => readFileSync(join(folder, file), "utf8");
  mkdirSync(join(folder, "page"));
  write("build.mjs", program);
  write("runs.txt", "");
  write("page/a.txt", "one");
  const build: Build = {
    name: "page",
    folder,
    program: { entry: join(folder, "build.mjs") },
    output: join(folder, "dist"),
    watch: [join(folder, "page")],
    shared: [],
    restart: [],
    ...changes,
  };
  const controller = new AbortController();
  let printed = "";
  let at = 0;
  let wake = (): void => {};
  const sink = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      printed += text;
      wake();
      done();
    },
  });
  const context: CommandContext = {
    stdin: new PassThrough(),
    stdout: new Output(sink),
    stderr: new Output(sink),
    env: { PATH: process.env.PATH },
    cwd: folder,
    signal: controller.signal,
  };
  const rebuilt: string[] = [];
  t.after(() => {
    controller.abort();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    folder,
    build,
    rebuilt,
    write,
    read,
    runs: () => read("runs.txt").split("\n").length - 1,
    async line(pattern) {
      for (;;) {
        const found = pattern.exec(printed.slice(at));
        if (found !== null) {
          at += found.index + found[0].length;
          return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    output: () => printed,
    async begin({ isWatched = true, more = [] } = {}) {
      const followed = await followBuilds([build, ...more], isWatched, context, ({ name }) => rebuilt.push(name));
      t.after(() => followed.stop());
      return followed.isForeign;
    },
    abort: () => controller.abort(),
  };
}

describe("builds", () => {
  it("run where the output is absent or older than what they read, and not where it is newer", async (t) => {
    const { begin, runs, read, folder, output } = follow(t);
    await begin({ isWatched: false });
    assert.deepEqual([runs(), read("dist/words.txt")], [1, "one"]);
    assert.match(output(), /^built page in \d/);
    await begin({ isWatched: false });
    assert.equal(runs(), 1);
    const later = Date.now() / 1000 + 10;
    utimesSync(join(folder, "page/a.txt"), later, later);
    await begin({ isWatched: false });
    assert.equal(runs(), 2);
    // An empty folder does not count as output.
    rmSync(join(folder, "dist/words.txt"));
    await begin({ isWatched: false });
    assert.equal(runs(), 3);
  });

  it("run again after a change, a new folder and a removal, and say after which", async (t) => {
    const { begin, folder, line, read, rebuilt, write } = follow(t);
    await begin();
    assert.deepEqual(rebuilt, []);
    write("page/a.txt", "two");
    await line(/^built page in .+, after the change of page\/a\.txt$/m);
    assert.equal(read("dist/words.txt"), "two");
    mkdirSync(join(folder, "page/deep"));
    write("page/deep/b.txt", "three");
    while (read("dist/words.txt") !== "two three") await line(/^built page in .+/m);
    rmSync(join(folder, "page/deep"), { recursive: true });
    while (read("dist/words.txt") !== "two") await line(/^built page in .+/m);
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(rebuilt.length >= 3);
  });

  it("report a failure with their output and its exit code, and run again after the next change", async (t) => {
    const { begin, line, output, read, rebuilt, write } = follow(t);
    write("page/a.txt", "wrong");
    await begin();
    assert.equal(output(), "error: build page failed with exit code 3\n  page/a.txt: wrong word\n");
    write("page/a.txt", "odd");
    await line(/^ {2}warning: odd\nbuilt page in /m);
    assert.equal(read("dist/words.txt"), "odd");
    // The line is printed right before.
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(rebuilt, ["page"]);
  });

  it("run a command line of the shell, which finds the programs of installed packages", async (t) => {
    const command = "say-words page/a.txt && mkdir -p dist && cp page/a.txt dist/";
    const { begin, folder, output, read } = follow(t, { program: { command } });
    mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
    writeFileSync(join(folder, "node_modules/.bin/say-words"), '#!/bin/sh\necho "$1" >&2\n', { mode: 0o755 });
    await begin();
    assert.equal(read("dist/a.txt"), "one");
    assert.match(output(), /^ {2}page\/a\.txt\nbuilt page in /);
  });

  it("run in their order, so that one reads what another has written", async (t) => {
    const { begin, build, folder, line, read, write } = follow(t);
    const copy: Build = {
      ...build,
      name: "copy",
      program: { command: "mkdir -p site && cp dist/words.txt site/" },
      output: join(folder, "site"),
      watch: [join(folder, "dist")],
    };
    mkdirSync(join(folder, "dist"));
    const isForeign = await begin({ more: [copy] });
    assert.equal(read("site/words.txt"), "one");
    write("page/a.txt", "two");
    while (read("site/words.txt") !== "two") await line(/^built copy in .+, after the change of dist\/words\.txt$/m);
    const files = ["page/a.txt", "dist/words.txt", "site/words.txt", "build.mjs", "src/main.ts"];
    assert.deepEqual(
      files.filter((file) => isForeign(join(folder, file))),
      files.slice(0, 4),
    );
  });

  it("are ended with everything else", async (t) => {
    const { begin, abort, write, output, runs } = follow(t);
    write("page/a.txt", "endless");
    const begun = begin();
    while (runs() === 0) await new Promise((resolve) => setImmediate(resolve));
    abort();
    await begun;
    assert.equal(output(), "");
  });

  it("whose program cannot be started are failures", async (t) => {
    const { begin, output } = follow(t, { program: { command: "absent-program --build" } });
    await begin({ isWatched: false });
    assert.match(output(), /^error: build page failed with exit code 127\n {2}.*absent-program/);
  });
});
