import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

interface Outcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

describe("npm test", () => {
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-run-tests-"));
    mkdirSync(join(root, "test"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function runTests(files: Record<string, string>, ...args: string[]): Outcome {
    return runTestsWith({}, files, ...args);
  }

  function runTestsWith(variables: Record<string, string>, files: Record<string, string>, ...args: string[]): Outcome {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(root, "test", name), `import { test } from "node:test";\n${text}`);
    }
    // With this variable, a runner behaves as a file of the outer run.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const script = join(import.meta.dirname, "run-tests.ts");
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...env, ...variables },
      encoding: "utf8",
    });
    return { exitCode: status, stdout, stderr };
  }

  it("ends with the summary of Node's runner and exit code 0 if all tests pass", () => {
    const { exitCode, stdout, stderr } = runTests({ "a.test.ts": 'test("fine", () => {});' });
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /pass 1\n(.*\n)*.*duration_ms [\d.]+\n$/);
    assert.equal(stderr, "");
  });

  it("ends with the slowest files if it has run more than ten", () => {
    const names = Array.from({ length: 11 }, (_, at) => `${String.fromCharCode(97 + at)}.test.ts`);
    const { exitCode, stdout } = runTests(Object.fromEntries(names.map((name) => [name, 'test("fine", () => {});'])));
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /the slowest of 11 test files .*:\n/);
    assert.equal(stdout.match(/^ +\d+\.\d +\d+\.\d {2}test\/[a-k]\.test\.ts$/gm)?.length, 10);
  });

  it("starts the files first that took longest in the last run", () => {
    mkdirSync(join(root, ".cache"));
    const usages = [50, 60, 40].map((seconds, at) => ({ file: `test/${"abc"[at]}.test.ts`, seconds, cpuSeconds: 0 }));
    writeFileSync(
      join(root, ".cache", "test-usage.jsonl"),
      usages.map((usage) => `${JSON.stringify(usage)}\n`).join(""),
    );
    const files = Object.fromEntries([..."abc"].map((name) => [`${name}.test.ts`, `test("${name}", () => {});`]));
    const { stdout } = runTests(files);
    assert.equal([...stdout.matchAll(/^✔ ([abc]) /gm)].map(([, name]) => name).join(), "b,a,c");
  });

  it("exits with the code of a failing test", () => {
    const { exitCode, stdout } = runTests({ "a.test.ts": 'test("broken", () => { throw new Error("no"); });' });
    assert.equal(exitCode, 1);
    assert.match(stdout, /fail 1\n/);
  });

  const skipping = `
    import { describe } from "node:test";
    test("fine", () => {});
    test("without a reason", { skip: true }, () => {});
    describe("Envoy", { skip: "envoy is not installed" }, () => { test("never", () => {}); });
    describe("a suite", () => { test("without a printer", (t) => t.skip("no printer")); });`;

  for (const [how, files] of [
    ["in a process of their own", { "a.test.ts": skipping }],
    ["in a shared process", { "a.test.ts": skipping, "b.test.ts": 'test("fine", () => {});' }],
  ] as const) {
    it(`names skipped tests, and skipped suites, which Node does not count, and fails in CI: ${how}`, () => {
      const expected = [
        'skipped: test/a.test.ts: test "without a reason"',
        'skipped: test/a.test.ts: suite "Envoy": envoy is not installed',
        'skipped: test/a.test.ts: test "without a printer": no printer',
      ];
      const local = runTestsWith({ CI: "" }, files);
      assert.equal(local.exitCode, 0, local.stdout + local.stderr);
      assert.deepEqual(local.stderr.trimEnd().split("\n"), expected);
      const ci = runTestsWith({ CI: "true" }, files);
      assert.equal(ci.exitCode, 1, ci.stdout);
      assert.deepEqual(ci.stderr.trimEnd().split("\n"), [
        ...expected,
        "nothing may be skipped in CI: install what the reasons name, and run as root",
      ]);
    });
  }

  it("does not report tests that a pattern omits as skipped, or a suite without skipped tests", () => {
    const files = {
      "a.test.ts":
        'import { describe } from "node:test"; test("wanted", () => {}); describe("others", () => { test("other", () => {}); });',
    };
    const { exitCode, stdout, stderr } = runTestsWith({ CI: "true" }, files, "--test-name-pattern=wanted");
    assert.equal(exitCode, 0, stdout + stderr);
  });

  it("runs only the files whose path contains one of the words", () => {
    const files = { "one.test.ts": 'test("1", () => {});', "two.test.ts": 'test("2", () => {});', "three.test.ts": "" };
    const { stdout } = runTests(files, "one", "two");
    assert.match(stdout, /pass 2\n/);
    assert.doesNotMatch(stdout, /three/);
  });

  it("refuses words that match no file, and options that are not the runner's", () => {
    const none = runTests({ "a.test.ts": "" }, "nowhere");
    assert.deepEqual([none.exitCode, none.stderr], [1, "no test file's path contains nowhere\n"]);
    const option = runTests({}, "--tests-only");
    assert.equal(option.exitCode, 2);
    assert.match(option.stderr, /unknown option --tests-only/);
  });

  it("passes options to Node's runner", () => {
    const files = { "a.test.ts": 'test("wanted", () => {}); test("other", () => { throw new Error("ran"); });' };
    const { exitCode, stdout } = runTests(files, "--test-name-pattern=wanted");
    assert.equal(exitCode, 0, stdout);
    const tap = runTests(files, "--test-name-pattern=wanted", "--test-reporter=tap");
    assert.match(tap.stdout, /^TAP version 13\n(.*\n)*ok 1 - wanted\n/);
    const unknown = runTests(files, "--test-reporter=loud");
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /unknown reporter "loud": expected spec, tap, dot, junit/);
  });

  it("fails a file that leaves a server, a socket, a timer and a child process open, and names them", () => {
    const { exitCode, stdout } = runTests({
      "leak.test.ts": `
        import { spawn } from "node:child_process";
        import { once } from "node:events";
        import { connect, createServer } from "node:net";
        test("leaks", async () => {
          const server = createServer().listen(0, "127.0.0.1");
          await once(server, "listening");
          await once(connect(server.address().port, "127.0.0.1"), "connect");
          setInterval(() => {}, 60_000);
          spawn("sleep", ["60"]);
        });`,
      "clean.test.ts": 'test("fine", () => {});',
    });
    assert.equal(exitCode, 1);
    assert.match(stdout, /left open after the last test of \S+leak\.test\.ts: /);
    assert.match(stdout, /Server listening on 127\.0\.0\.1:\d+/);
    assert.match(stdout, /Socket from port \d+ to 127\.0\.0\.1:\d+/);
    assert.match(stdout, /ChildProcess \d+ \(sleep\)/);
    assert.match(stdout, /Timeout/);
    assert.match(stdout, /✖ test\/leak\.test\.ts/);
    assert.doesNotMatch(stdout, /✖ test\/clean\.test\.ts/);
  });

  it("allows hooks of the file to close what its tests opened", () => {
    const { exitCode, stdout } = runTests({
      "hook.test.ts": `
        import { after } from "node:test";
        import { createServer } from "node:net";
        const server = createServer();
        test("listens", (t, done) => { server.listen(0, "127.0.0.1", done); });
        after(() => { server.close(); });`,
    });
    assert.equal(exitCode, 0, stdout);
  });

  const tellsProcess = (name: string, more = ""): string => `
    import { before, beforeEach } from "node:test";
    ${more}
    before(() => console.log("before ${name} in", process.pid));
    beforeEach(() => console.log("each of ${name}"));
    test("${name}", () => {});`;
  const processesOf = (stdout: string) =>
    new Map([...stdout.matchAll(/before (\w+) in (\d+)/g)].map(([, name, pid]) => [name, pid]));

  it("runs files in one process, with separate results, times and hooks", () => {
    const files = {
      "a.test.ts": tellsProcess("a"),
      "b.test.ts": tellsProcess("b"),
      "c.test.ts": 'test("c", () => {});',
    };
    const { exitCode, stdout, stderr } = runTests(files);
    assert.equal(exitCode, 0, stdout + stderr);
    const processes = processesOf(stdout);
    assert.equal(processes.get("a"), processes.get("b"));
    for (const name of "abc") {
      assert.match(
        stdout,
        new RegExp(
          `▶ test/${name}\\.test\\.ts\n.*✔ ${name} \\([\\d.]+ms\\)\n✔ test/${name}\\.test\\.ts \\([\\d.]+ms\\)`,
        ),
      );
    }
    assert.deepEqual(stdout.match(/^each of .$/gm), ["each of a", "each of b"]);
    assert.match(stdout, /pass 3\n/);
  });

  it("runs a file in its own process if its comment requests it, and every file with --alone", () => {
    const files = {
      "a.test.ts": tellsProcess("a"),
      "b.test.ts": tellsProcess("b", "// Own process: it measures memory"),
      "c.test.ts": tellsProcess("c"),
    };
    const together = processesOf(runTests(files).stdout);
    assert.equal(together.get("a"), together.get("c"));
    assert.notEqual(together.get("a"), together.get("b"));
    assert.equal(new Set(processesOf(runTests(files, "--alone").stdout).values()).size, 3);
  });

  it("names the long files that it omits, and runs them with --long", () => {
    const files = { "a.test.ts": tellsProcess("a"), "b.test.ts": tellsProcess("b", "// Long: it builds everything") };
    const { exitCode, stdout } = runTests(files);
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual([...processesOf(stdout).keys()], ["a"]);
    assert.match(stdout, /^left out, because they are long: test\/b\.test\.ts; run them by: npm test -- --long$/m);
    assert.deepEqual([...processesOf(runTests(files, "--long").stdout).keys()], ["b"]);
  });

  it("names the file of a failing test and a file that cannot be loaded, and runs the files after them", () => {
    const { exitCode, stdout } = runTests({
      "a.test.ts": 'test("broken", () => { throw new Error("no"); });',
      "b.test.ts": 'import "./missing.ts";',
      "c.test.ts": 'test("fine", () => {});',
    });
    assert.equal(exitCode, 1);
    assert.match(stdout, /test at test\/a\.test\.ts:\d+:\d+\n✖ broken/);
    assert.match(stdout, /✖ test\/b\.test\.ts[\s\S]*Cannot find module .*missing\.ts/);
    assert.match(stdout, /✔ test\/c\.test\.ts/);
  });

  it("fails only the file that leaves a server open in a shared process, and names it", () => {
    const { exitCode, stdout } = runTests({
      "a.test.ts": `
        import { createServer } from "node:net";
        test("leaks", (t, done) => { createServer().listen(0, "127.0.0.1", done); });`,
      "b.test.ts": 'test("fine", () => {});',
    });
    assert.equal(exitCode, 1);
    assert.match(stdout, /left open after the last test of test\/a\.test\.ts: Server listening on 127\.0\.0\.1:\d+/);
    assert.match(stdout, /✔ test\/b\.test\.ts/);
  });

  it("fails a file that changes the state of its shared process, and names the change", () => {
    const { exitCode, stdout } = runTests({
      "a.test.ts":
        'test("sets", () => { process.env.TERCEL_LEFT = "1"; globalThis.leftHere = 1; process.chdir("test"); });',
      "b.test.ts": 'test("fine", () => {});',
    });
    assert.equal(exitCode, 1);
    assert.match(stdout, /changed in the process by test\/a\.test\.ts: working directory was \S+ and is \S+\/test, /);
    assert.match(
      stdout,
      /environment variable TERCEL_LEFT was absent and is 1, global leftHere was absent and is defined/,
    );
  });

  it("fails if a file ends its shared process, and names the files that did not finish", () => {
    const { exitCode, stderr } = runTests({
      "a.test.ts": 'test("fine", () => {});',
      "b.test.ts": 'const end = process["exit"]; test("ends", () => end(0));',
      "c.test.ts": 'test("fine", () => {});',
    });
    assert.equal(exitCode, 1);
    assert.deepEqual(stderr.match(/^did not run to its end: .*$/gm), [
      "did not run to its end: test/b.test.ts",
      "did not run to its end: test/c.test.ts",
    ]);
  });

  const withoutGit = spawnSync("git", ["--version"]).status === 0 ? false : "git is not installed";
  it("fails if a process, a temporary file or an untracked file is left, names it and ends the process", {
    skip: withoutGit,
  }, () => {
    execFileSync("git", ["init", "-q"], { cwd: root });
    const { exitCode, stderr } = runTests({
      "left.test.ts": `
        import { spawn } from "node:child_process";
        import { mkdtempSync, writeFileSync } from "node:fs";
        import { tmpdir } from "node:os";
        test("passes", () => {
          spawn("sleep", ["61.5"], { detached: true, stdio: "ignore" }).unref();
          mkdtempSync(tmpdir() + "/tercel-left-");
          writeFileSync("left.txt", "");
        });`,
    });
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /^the tests left behind: process (\d+): sleep 61\.5$/m);
    assert.match(stderr, /^the tests left behind: temporary file .*tercel-left-/m);
    assert.match(stderr, /^the tests left behind: untracked file left\.txt$/m);
    const pid = Number(/process (\d+)/.exec(stderr)?.[1]);
    assert.throws(() => readlinkSync(`/proc/${pid}/exe`), { code: "ENOENT" });
  });
});
