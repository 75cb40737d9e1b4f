import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { historyFile, readHistory, writeHistory } from "../src/repl/history.ts";
import { startLibrary } from "./library-server.ts";
import { type CliRun, runCli } from "./run-cli.ts";
import { runOnTerminal } from "./run-on-terminal.ts";

/** Types lines at `tercel call -i`. */
async function type(t: TestContext, lines: readonly string[], cwd = process.cwd()): Promise<CliRun> {
  const { target } = await startLibrary(t);
  const run = await runCli(["call", "-i", "--target", target], { input: `${lines.join("\n")}\n`, cwd });
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

describe("tercel call -i", () => {
  it("calls the method that was named last, with messages as JSON or assignments", async (t) => {
    const { stdout } = await type(t, ['LibraryService/ListBooks {"count": 1}', "count=2", ".again"]);
    assert.equal(stdout, '{"id":"1"}\n{"id":"1"}\n{"id":"2"}\n{"id":"1"}\n{"id":"2"}\n');
  });

  it("takes a method of the current service without the service's name", async (t) => {
    const { stdout, stderr } = await type(t, [
      "ListBooks count=1",
      "LibraryService/GetBook",
      'ListBooks {"count": 1}',
      "listBooks {",
      "}",
      "ListBoks",
    ]);
    assert.match(stdout, /^\{"id":"1"\}\n/);
    assert.match(stderr, /^error: invalid method "ListBooks": expected SERVICE\/METHOD/m);
    assert.match(
      stderr,
      /^error: tercel\.cli\.test\.v1\.LibraryService has no method "ListBoks"; did you mean "ListBooks"\?/m,
    );
  });

  it("takes a message over several lines", async (t) => {
    const { stdout } = await type(t, ["LibraryService/ListBooks {", '  "count": 1', "}"]);
    assert.equal(stdout, '{"id":"1"}\n');
  });

  it("keeps a stream open until .end, and prints what comes meanwhile", async (t) => {
    const { stdout } = await type(t, ["LibraryService/Echo text=one", "text=two", ".end", "text=three"]);
    assert.equal(stdout, '{"text":"one"}\n{"text":"two"}\n{"text":"three"}\n');
  });

  it("cancels a stream, and goes on", async (t) => {
    const { stdout, stderr } = await type(t, [
      "LibraryService/Echo text=one",
      ".cancel",
      "LibraryService/ListBooks count=1",
    ]);
    assert.match(stderr, /^cancelled$/m);
    assert.match(stdout, /\{"id":"1"\}\n$/);
  });

  it("prints mistakes and ends for none of them", async (t) => {
    const { stdout, stderr } = await type(t, [
      ".lst",
      "count=1",
      "LibraryService/ListBoks",
      "LibraryService/ListBooks",
      "coun=1",
      '{"count": }',
      "LibraryService/GetBook id=none",
      "LibraryService/ListBooks count=1",
    ]);
    assert.equal(stdout, '{"id":"1"}\n');
    const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
    assert.deepEqual(errors, [
      "error: unknown command .lst; did you mean .list?",
      "error: no method selected",
      'error: tercel.cli.test.v1.LibraryService has no method "ListBoks"; did you mean "ListBooks"?',
      'error: -d coun=1: unknown field "coun"; did you mean "count"?',
      'error: input:1:11: invalid JSON "}": strings need double quotes',
      "error: NOT_FOUND: there is no such book",
    ]);
  });

  it("lists, describes, sends headers and saves", async (t) => {
    const cwd = mkdtempSync(join(tmpdir(), "tercel-repl-"));
    t.after(() => rmSync(cwd, { recursive: true, force: true }));
    const { stdout } = await type(
      t,
      [
        ".list",
        ".list LibraryService",
        ".describe tercel.cli.test.v1.Line",
        ".header x-tenant: acme",
        ".use LibraryService/ListBooks",
        ".describe",
        "count=0",
        ".save books.yaml",
        ".header x-tenant",
        ".exit",
        "count=1",
      ],
      cwd,
    );
    assert.match(stdout, /^tercel\.cli\.test\.v1\.LibraryService\/Echo +bidirectional streaming$/m);
    assert.match(stdout, /^message tercel\.cli\.test\.v1\.Line \{\n {2}string text = 1;\n\}\nrpc ListBooks/m);
    assert.doesNotMatch(stdout, /"id"/);
    assert.match(
      readFileSync(join(cwd, "books.yaml"), "utf8"),
      /method: .*ListBooks\n.*headers:\n {2}x-tenant: acme\ndata: \{\}/s,
    );
  });

  it("is not for the options of a single call", async (t) => {
    const { target } = await startLibrary(t);
    const run = await runCli(["call", "-i", "-d", "{}", "--target", target]);
    assert.equal(run.exitCode, 2);
  });
});

describe("tercel call -i on a terminal", () => {
  it("completes the fields of the method that the line names, and of the one that was named before", async (t) => {
    const { target } = await startLibrary(t);
    const folder = mkdtempSync(join(tmpdir(), "tercel-history-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const keys = {
      "tercel> ": ["LibraryService/ListBooks co", "\t"],
      "ListBooks count=": ["1", "\r"],
      "LibraryService/ListBooks> ": ["co", "\t"],
      "ListBooks> count=": ["2", "\r", "\u0004"],
    };
    const run = await runOnTerminal(["call", "-i", "--target", target], folder, keys, { XDG_STATE_HOME: folder });
    assert.equal(run.exitCode, 0, run.shown);
    assert.equal(run.stdout, '{"id":"1"}\n{"id":"1"}\n{"id":"2"}\n');
  });
});

describe("the history of the prompt", () => {
  it("is kept in the state folder, for the user alone", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-history-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = historyFile({ XDG_STATE_HOME: folder });
    assert.equal(file, join(folder, "tercel/history"));
    assert.deepEqual(readHistory(file), []);
    writeHistory(file, ["newest", "older"]);
    assert.deepEqual(readHistory(file), ["newest", "older"]);
    writeHistory(join(file, "a file is no folder"), ["x"]);
  });
});
