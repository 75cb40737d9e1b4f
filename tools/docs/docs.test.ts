// Checks the pages: TypeScript is type-checked, marked programs are run, and links must have a target. commands.test.ts runs the commands.
// CONTRIBUTING.md describes how to mark a snippet.
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { listFiles } from "../source-files.ts";
import { describeOutcome, pages, root } from "./pages.ts";
import type { Snippet } from "./read-markdown.ts";

/** A snippet takes one or two seconds, but many times as long on a machine under load. */
const tsLimitMs = 60_000;

const fileMark = "file=";

/** A program of a page: a snippet with its continuations. */
interface Program {
  readonly page: string;
  readonly firstLine: number;
  readonly file: string;
  readonly text: string;
  readonly isRun: boolean;
}

describe("snippets in the docs", () => {
  // Inside the repository, so that package names resolve as they do for the code here.
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "snippets-"));
  const programs = [...pages].flatMap(([page, { snippets }]) => programsOf(page, snippets, folder));

  let allRan: boolean | undefined;
  /** Whether all programs succeed in one process; tried once. */
  const runAllOnce = (): boolean => {
    if (allRan === undefined) {
      const file = join(folder, "all.mjs");
      writeFileSync(file, programOfAll(programs.filter(({ isRun }) => isRun)));
      const { status, stdout } = runProgram(file);
      allRan = status === 0 && stdout.endsWith(lastLine);
    }
    return allRan;
  };

  before(() => {
    const configuration = {
      extends: "../../tsconfig.base.json",
      compilerOptions: {
        noEmit: true,
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      include: ["*.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
    for (const { file, text } of programs) writeFileSync(file, text);
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("type-checks every ts snippet", () => {
    const compiler = join(root, "node_modules", ".bin", "tsc");
    const outcome = spawnSync(compiler, ["-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
    let report = describeOutcome(outcome);
    for (const { file, page } of programs) report = report.replaceAll(posix.basename(file), page);
    assert.equal(outcome.status, 0, report);
  });

  for (const { page, firstLine, file, isRun } of programs) {
    if (!isRun) continue;
    it(`runs the program at ${page}:${firstLine}`, () => {
      if (runAllOnce()) return;
      // One of the programs failed or affected another one. Alone, each shows whether it works.
      const outcome = runProgram(file);
      assert.equal(outcome.status, 0, describeOutcome(outcome));
    });
  }

  it("shows the current content of files", () => {
    const problems: string[] = [];
    for (const [page, { snippets }] of pages) {
      for (const { marks, text, line } of snippets) {
        const file = marks.find(isFileMark)?.slice(fileMark.length);
        if (file === undefined) continue;
        const isSame = existsSync(join(root, file)) && readFileSync(join(root, file), "utf8").trimEnd() === text;
        if (!isSame) problems.push(`${page}:${line}: is not what ${file} holds`);
      }
    }
    assert.deepEqual(problems, []);
  });

  it("has known marks only, and a program before each continuation", () => {
    const allowed = new Map([
      ["ts", ["run", "continues"]],
      ["sh", ["run"]],
    ]);
    const problems: string[] = [];
    for (const [page, { snippets }] of pages) {
      let hasProgram = false;
      for (const { marks, line } of snippets) {
        const [language = "", ...others] = marks;
        const unknown = others.filter((mark) => !isFileMark(mark) && !(allowed.get(language) ?? []).includes(mark));
        if (unknown.length > 0) problems.push(`${page}:${line}: unknown mark ${unknown.join(" ")}`);
        if (marks.includes("continues") && !hasProgram) problems.push(`${page}:${line}: nothing to continue`);
        hasProgram ||= language === "ts";
      }
    }
    assert.deepEqual(problems, []);
  });
});

/** The last line of the process that runs all programs, if all succeeded. */
const lastLine = "all programs ran\n";

/**
 * Loading Tercel takes most of the time of a program, so one process runs all programs one after the other. None may set an exit
 * code or leave something open, which would keep the process alive.
 */
function programOfAll(programs: readonly Program[]): string {
  return `
    for (const url of ${JSON.stringify(programs.map(({ file }) => pathToFileURL(file).href))}) {
      await import(url);
      if (process.exitCode) process.exit();
    }
    // Not emitted if a program calls process.exit().
    process.once("beforeExit", () => process.stdout.write(${JSON.stringify(lastLine)}));
  `;
}

function runProgram(file: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ["--conditions=source", file], {
    cwd: dirname(file),
    encoding: "utf8",
    timeout: tsLimitMs,
  });
}

/** A snippet that shows a file of the repository. The file itself is checked and run. */
function isFileMark(mark: string): boolean {
  return mark.startsWith(fileMark);
}

/** Writes each program to its own file, at the same lines as in the page, so that errors name the lines of the page. */
function programsOf(page: string, snippets: readonly Snippet[], folder: string): Program[] {
  const groups: Snippet[][] = [];
  for (const snippet of snippets) {
    if (snippet.marks[0] !== "ts" || snippet.marks.some(isFileMark)) continue;
    const last = groups.at(-1);
    if (snippet.marks.includes("continues") && last !== undefined) last.push(snippet);
    else groups.push([snippet]);
  }
  return groups.map((group) => {
    let text = "";
    let line = 1;
    for (const snippet of group) {
      text += `${"\n".repeat(snippet.line - line)}${snippet.text}\n`;
      line = snippet.line + snippet.text.split("\n").length;
    }
    const firstLine = group[0]?.line ?? 1;
    return {
      page,
      firstLine,
      file: join(folder, `${page.replaceAll("/", "__").replace(/\.md$/, "")}.${firstLine}.ts`),
      // Without an import, a file is a script, and its names would be global.
      text: `${text}export {};\n`,
      isRun: group.some(({ marks }) => marks.includes("run")),
    };
  });
}

describe("pages of the docs", () => {
  it("link only to files and headings that exist", () => {
    const problems: string[] = [];
    for (const [page, { links }] of pages) {
      for (const { target, line } of links) {
        if (/^[a-z][a-z0-9+.-]*:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : posix.join(posix.dirname(page), decodeURIComponent(path));
        const isThere = !file.startsWith("../") && existsSync(join(root, file));
        const hasAnchor = anchor === undefined || (pages.get(file)?.anchors.has(anchor) ?? true);
        if (!isThere) problems.push(`${page}:${line}: ${target} does not exist`);
        else if (!hasAnchor) problems.push(`${page}:${line}: ${target} names no heading of ${file}`);
      }
    }
    assert.deepEqual(problems, []);
  });

  it("name only source files that exist, where they describe the repository", () => {
    const files = listFiles(root);
    const problems: string[] = [];
    for (const page of pages.keys()) {
      if (page !== "CONTRIBUTING.md" && !page.startsWith("docs/")) continue;
      const prose = readFileSync(join(root, page), "utf8").replace(/^```.*?^```/gms, "");
      for (const [, name = ""] of prose.matchAll(/`([\w./-]+\/[\w.-]+\.ts)`/g)) {
        if (!files.some((file) => file === name || file.endsWith(`/${name}`))) problems.push(`${page}: ${name}`);
      }
    }
    assert.deepEqual(problems, []);
  });

  it("contain no paths of the author's machine", () => {
    // The folders around this repository, and home folders. Examples may use /tmp and the home folder of Ada.
    const parent = dirname(root);
    const paths = [
      `${root}/`,
      ...(parent === "/" || parent === "/tmp" ? [] : [`${parent}/`]),
      "/home/",
      "/Users/",
      "/root/",
    ];
    const problems: string[] = [];
    for (const page of pages.keys()) {
      readFileSync(join(root, page), "utf8")
        .split("\n")
        .forEach((content, index) => {
          const path = paths.find((one) => content.replaceAll("/home/ada/", "").includes(one));
          if (path !== undefined) problems.push(`${page}:${index + 1}: ${path}`);
        });
    }
    assert.deepEqual(problems, []);
  });

  it("are found", () => {
    assert.ok(pages.has("CONTRIBUTING.md") && pages.has("docs/architecture.md"));
  });
});
