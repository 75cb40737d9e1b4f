// tercel upgrade and tercel add: whose file is changed, what is kept, what a conflict looks like.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { parse } from "yaml";
import type { Choices } from "../src/new/plan/service-plan.ts";
import { portsFor } from "../src/new/plan/service-ports.ts";
import { renderManaged, renderProject } from "../src/new/render/render-project.ts";
import { isOlder } from "../src/project/compare-versions.ts";
import { formatLock } from "../src/project/lock-file.ts";
import { sha256Of } from "../src/project/sha256.ts";
import { ownVersion } from "../src/version.ts";
import {
  defaults,
  folderWithPackages,
  planOf,
  runNode,
  temporaryFolder,
  typeCheck,
  writeFiles,
} from "./new-projects.ts";
import { type CliRun, runCli } from "./run-cli.ts";
import { runOnTerminal } from "./run-on-terminal.ts";

const version = ownVersion();

/** What an earlier version of tercel has made: its template differed in the files that Tercel manages. */
function createOldProject(t: TestContext, changeTemplate: Readonly<Record<string, (text: string) => string>>): string {
  const plan = planOf(defaults(), { version: "0.0.9" });
  const managed = new Map(
    [...renderManaged(plan)].map(([path, text]) => [path, (changeTemplate[path] ?? ((same) => same))(text)]),
  );
  const files = new Map([...renderProject(plan), ...managed]);
  const hashes = [...managed].map(([path, text]) => `  ${path}: ${sha256Of(text)}\n`).join("");
  files.set("tercel.yaml", (files.get("tercel.yaml") ?? "").replace(/managed:\n[\s\S]*$/, `managed:\n${hashes}`));
  files.set("tercel.lock", formatLock(managed));
  const folder = temporaryFolder(t);
  writeFiles(folder, files);
  return folder;
}

function createProject(t: TestContext, changes: Partial<Choices> = {}): string {
  const folder = folderWithPackages(t);
  writeFiles(folder, renderProject(planOf(defaults(changes))));
  return folder;
}

/** Every file of a project, without its packages. */
function filesOf(folder: string, inside = ""): ReadonlyMap<string, string> {
  const entries = readdirSync(join(folder, inside), { withFileTypes: true }).filter(
    ({ name }) => name !== "node_modules",
  );
  const files = entries.flatMap((entry) => {
    const path = join(inside, entry.name);
    if (entry.isDirectory()) return [...filesOf(folder, path)];
    return [[path, readFileSync(join(folder, path), "utf8")] as const];
  });
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function edit(folder: string, path: string, change: (text: string) => string): void {
  const text = readFileSync(join(folder, path), "utf8");
  assert.notEqual(change(text), text, `${path} does not change`);
  writeFileSync(join(folder, path), change(text));
}

function succeeded(run: CliRun): CliRun {
  assert.equal(run.exitCode, 0, run.stderr);
  return run;
}

const oldLint = (text: string): string => text.replace('    "lint": "tercel lint"\n', '    "lint": "buf lint"\n');
const oldTarget = (text: string): string => text.replace('"target": "es2023"', '"target": "es2022"');
const now = renderManaged(planOf(defaults()));

describe("tercel upgrade", () => {
  it("changes nothing in a project of its own version, edited or not", async (t) => {
    const cwd = createProject(t);
    edit(cwd, "package.json", (text) => text.replace('"private": true', '"private": false'));
    const before = filesOf(cwd);
    succeeded(await runCli(["upgrade", "--check"], { cwd }));
    const { stderr } = succeeded(await runCli(["upgrade"], { cwd }));
    assert.equal(stderr, `up to date with tercel ${version}: no file changed\n`);
    assert.deepEqual(filesOf(cwd), before);
  });

  it("replaces files that no one has edited, leaves those that are the project's, and does it once", async (t) => {
    const cwd = createOldProject(t, { "package.json": oldLint, "tsconfig.json": oldTarget });
    edit(cwd, "src/main.ts", (text) => `${text}// mine\n`);
    edit(cwd, "tercel.yaml", (text) => text.replace("cache: memory", "cache: memory # chosen by us"));
    const before = filesOf(cwd);
    const check = await runCli(["upgrade", "--check"], { cwd });
    assert.equal(check.exitCode, 8);
    assert.match(
      check.stdout,
      /^--- a\/tsconfig\.json\n\+\+\+ b\/tsconfig\.json\n@@ [\s\S]*^- {4}"target": "es2022",\n\+ {4}"target"/m,
    );
    assert.match(
      check.stderr,
      /^error: the project is not up to date with tercel .*\n {2}package\.json\n {2}tsconfig\.json\nhint: /,
    );
    assert.deepEqual(filesOf(cwd), before);

    const { stderr } = succeeded(await runCli(["upgrade"], { cwd }));
    assert.equal(
      stderr,
      `  package.json: updated\n  tsconfig.json: updated\ntercel 0.0.9 -> ${version}: 2 files changed\nnext: npm install\n`,
    );
    const after = filesOf(cwd);
    for (const [path, text] of now) assert.equal(after.get(path), text);
    for (const [path, text] of before) {
      if (!/^(package|tsconfig)\.json$|^tercel\./.test(path)) assert.equal(after.get(path), text, path);
    }
    assert.match(after.get("tercel.yaml") ?? "", /cache: memory # chosen by us\n/);
    assert.equal(parse(after.get("tercel.yaml") ?? "").template, version);
    succeeded(await runCli(["upgrade", "--check"], { cwd }));
    succeeded(await runCli(["upgrade"], { cwd }));
    assert.deepEqual(filesOf(cwd), after);
  });

  it("merges with what was edited, and again at the next upgrade", async (t) => {
    const cwd = createOldProject(t, { "package.json": oldLint, "tsconfig.json": oldTarget });
    edit(cwd, "package.json", (text) =>
      text.replace('"dependencies": {', '"dependencies": {\n    "lodash": "^4.0.0",'),
    );
    edit(cwd, "tsconfig.json", (text) => text.replace('"gen", ', ""));
    assert.match(
      succeeded(await runCli(["upgrade"], { cwd })).stderr,
      /package\.json: merged with your changes\n {2}tsconfig\.json: merged with your changes\n/,
    );
    const manifest = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"));
    assert.deepEqual([manifest.dependencies.lodash, manifest.scripts.lint], ["^4.0.0", "tercel lint"]);
    const settings = readFileSync(join(cwd, "tsconfig.json"), "utf8");
    assert.match(settings, /"target": "es2023"[\s\S]*"include": \["src", "test"\]/);
    succeeded(await runCli(["upgrade", "--check"], { cwd }));
  });

  it("marks what both changed, keeps both versions, and goes on when that is resolved", async (t) => {
    const cwd = createOldProject(t, { "tsconfig.json": oldTarget });
    edit(cwd, "tsconfig.json", (text) => text.replace("es2022", "es2024"));
    const run = await runCli(["upgrade"], { cwd });
    assert.equal(run.exitCode, 3);
    assert.match(run.stderr, /^ {2}tsconfig\.json: conflict: choose between the lines at <<<<<<< and >>>>>>>$/m);
    assert.match(run.stderr, /^error: conflict in tsconfig\.json: you and the template changed the same lines$/m);
    assert.match(
      readFileSync(join(cwd, "tsconfig.json"), "utf8"),
      /<<<<<<< yours\n {4}"target": "es2024",\n\|{7} before\n {4}"target": "es2022",\n=======\n {4}"target": "es2023",\n>>>>>>> tercel /,
    );
    const again = await runCli(["upgrade"], { cwd });
    assert.deepEqual([again.exitCode, again.stderr.split("\n")[0]], [1, "error: unresolved conflict in tsconfig.json"]);
    edit(cwd, "tsconfig.json", (text) => text.replace(/<{7} yours\n(.*\n)[\s\S]*>{7} .*\n/, "$1"));
    succeeded(await runCli(["upgrade"], { cwd }));
    assert.match(readFileSync(join(cwd, "tsconfig.json"), "utf8"), /"target": "es2024",\n/);
  });

  it("sends no one to npm with a package.json that has a conflict", async (t) => {
    const cwd = createOldProject(t, { "package.json": oldLint });
    edit(cwd, "package.json", (text) => text.replace("buf lint", "eslint"));
    const { exitCode, stderr } = await runCli(["upgrade"], { cwd });
    assert.equal(exitCode, 3);
    assert.match(stderr, /^ {2}package\.json: conflict: /m);
    assert.doesNotMatch(stderr, /npm install/);
    const text = readFileSync(join(cwd, "package.json"), "utf8");
    assert.match(text, /<<<<<<< yours\n {4}"lint": "eslint"\n=======\n {4}"lint": "tercel lint"\n>>>>>>> tercel /);
  });

  it("shows every difference as a conflict where tercel.lock is lost or was edited, and overwrites nothing", async (t) => {
    for (const lock of [undefined, "files:\n  tsconfig.json: |\n    {}\n", "{ no yaml"]) {
      const cwd = createOldProject(t, { "tsconfig.json": oldTarget });
      edit(cwd, "tsconfig.json", (text) => text.replace('"noEmit": true', '"noEmit": false'));
      if (lock === undefined) rmSync(join(cwd, "tercel.lock"));
      else writeFileSync(join(cwd, "tercel.lock"), lock);
      assert.equal((await runCli(["upgrade"], { cwd })).exitCode, 3);
      const text = readFileSync(join(cwd, "tsconfig.json"), "utf8");
      for (const line of ['"target": "es2022"', '"target": "es2023"', '"noEmit": false', '"noEmit": true']) {
        assert.ok(text.includes(line), line);
      }
    }
  });

  it("leaves out what was removed, and keeps the line ends of Windows", async (t) => {
    const cwd = createOldProject(t, { "package.json": oldLint, "tsconfig.json": oldTarget });
    rmSync(join(cwd, "package.json"));
    edit(cwd, "tsconfig.json", (text) => text.replaceAll("\n", "\r\n"));
    assert.match(
      succeeded(await runCli(["upgrade"], { cwd })).stderr,
      /package\.json: not written: you have removed it\n {2}tsconfig\.json: updated\n/,
    );
    assert.equal(existsSync(join(cwd, "package.json")), false);
    assert.equal(
      readFileSync(join(cwd, "tsconfig.json"), "utf8"),
      (now.get("tsconfig.json") ?? "").replaceAll("\n", "\r\n"),
    );
  });

  it("refuses a project of a later version, and what is no project", async (t) => {
    const cwd = createProject(t);
    edit(cwd, "tercel.yaml", (text) => text.replace(/template: .*/, "template: 99.0.0"));
    const later = await runCli(["upgrade"], { cwd });
    assert.deepEqual(
      [later.exitCode, later.stderr.split("\n")[0]],
      [1, `error: tercel.yaml was written by the newer tercel 99.0.0; this is tercel ${version}`],
    );
    const none = await runCli(["upgrade"], { cwd: temporaryFolder(t) });
    assert.deepEqual(
      [none.exitCode, none.stderr],
      [
        5,
        "error: cannot read tercel.yaml: no such file\nhint: run this command in the folder of a project that tercel new created\n",
      ],
    );
    edit(cwd, "tercel.yaml", (text) => text.replace("cache: memory", "cache: rediss"));
    const wrong = await runCli(["upgrade"], { cwd });
    assert.deepEqual(
      [wrong.exitCode, wrong.stderr],
      [4, 'error: tercel.yaml:8:10: invalid with.cache "rediss": did you mean redis?\n'],
    );
  });

  it("removes no file outside of the project, whatever tercel.yaml says", async (t) => {
    const parent = temporaryFolder(t);
    writeFiles(parent, new Map([["victim.txt", "x\n"]]));
    const cwd = join(parent, "project");
    writeFiles(cwd, renderProject(planOf(defaults())));
    edit(
      cwd,
      "tercel.yaml",
      (text) => `${text}  ../victim.txt: ${sha256Of("x\n")}\n  ${parent}/victim.txt: ${sha256Of("x\n")}\n`,
    );
    succeeded(await runCli(["upgrade"], { cwd }));
    assert.equal(readFileSync(join(parent, "victim.txt"), "utf8"), "x\n");
  });
});

describe("the order of versions", () => {
  for (const [version, other, expected] of [
    ["0.1.0", "0.2.0", true],
    ["0.10.0", "0.9.0", false],
    ["1.0.0", "1.0.0", false],
    ["1.0.0-rc.1", "1.0.0", true],
    ["1.0.0", "1.0.0-rc.1", false],
  ] as const) {
    it(`${version} ${expected ? "comes" : "does not come"} before ${other}`, () =>
      assert.equal(isOlder(version, other), expected));
  }
});

describe("tercel add", () => {
  it("makes what tercel new with the flag would have made, and does it once", async (t) => {
    for (const [concern, from, type] of [
      ["cache", "none", "redis"],
      ["auth", "none", "jwt"],
      ["events", "none", "nats"],
      ["database", "none", "sqlite"],
      ["monitoring", "prometheus", "otlp"],
      ["discovery", "none", "consul"],
    ] as const) {
      const cwd = createProject(t, { [concern]: from });
      const { stderr } = succeeded(await runCli(["add", concern, type, "--yes"], { cwd }));
      assert.match(stderr, new RegExp(`^added the ${concern} ${type}$`, "m"));
      const after = filesOf(cwd);
      const expected = renderProject(planOf(defaults({ [concern]: type })));
      assert.deepEqual([...after], [...expected], concern);
      assert.match(
        succeeded(await runCli(["add", concern, type], { cwd })).stderr,
        /nothing to do: the project already has .*\n$/,
      );
      succeeded(await runCli(["upgrade", "--check"], { cwd }));
      assert.deepEqual(filesOf(cwd), after);
    }
  });

  it("gives files that were edited what is new, and keeps the edits: types and tests pass", async (t) => {
    const cwd = createProject(t, { cache: "none" });
    edit(cwd, "config/default.yaml", (text) => text.replace("  port: 50051\n", "  port: 7000\n"));
    edit(cwd, "src/users.ts", (text) => text.replace("const defaultPageSize = 50;", "const defaultPageSize = 20;"));
    edit(cwd, "package.json", (text) =>
      text.replace('"dependencies": {', '"dependencies": {\n    "lodash": "^4.0.0",'),
    );
    const { stderr } = succeeded(await runCli(["add", "cache", "memory", "--yes"], { cwd }));
    assert.match(stderr, /^ {2}src\/users\.ts: merged with your changes$/m);
    assert.match(
      readFileSync(join(cwd, "config/default.yaml"), "utf8"),
      /port: 7000\n[\s\S]*cache:\n {2}providers:\n {4}memory:/,
    );
    assert.match(readFileSync(join(cwd, "src/users.ts"), "utf8"), /defaultPageSize = 20;[\s\S]*cache\.getOrLoad/);
    assert.equal(JSON.parse(readFileSync(join(cwd, "package.json"), "utf8")).dependencies.lodash, "^4.0.0");
    succeeded(await runCli(["generate"], { cwd }));
    assert.deepEqual(typeCheck(cwd), { exitCode: 0, output: "" });
    const tests = runNode(["--conditions=source", "--test", "test/**/*.test.ts"], cwd);
    assert.equal(tests.exitCode, 0, tests.output);
  });

  it("changes no file of the project's without a yes: it prints a patch, which git applies to the same end", async (t) => {
    const cwd = createProject(t, { cache: "none" });
    const before = filesOf(cwd);
    const run = await runCli(["add", "cache", "redis"], { cwd });
    assert.equal(run.exitCode, 3);
    assert.match(
      run.stderr,
      /^error: nothing was changed: confirmation is required for your own files .*config\/default\.yaml/m,
    );
    assert.deepEqual(filesOf(cwd), before);
    assert.equal(succeeded(await runCli(["add", "cache", "redis", "--dry-run"], { cwd })).stdout, run.stdout);
    const other = temporaryFolder(t);
    writeFiles(other, before);
    execFileSync("git", ["apply", "-"], { cwd: other, input: run.stdout });
    succeeded(await runCli(["add", "cache", "redis", "--yes"], { cwd }));
    assert.deepEqual(filesOf(other), filesOf(cwd));
  });

  it("asks on a terminal: for the type, and whether files of the project's may change", async (t) => {
    const cwd = createProject(t, { cache: "none" });
    const before = filesOf(cwd);
    const keys = (answer: string) => ({
      "Where are messages cached?": ["\u001b[B", "\r"],
      "Apply this change": [answer],
    });
    const refused = await runOnTerminal(["add", "cache"], cwd, keys("n"));
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stdout, /cachedUsers: cache\(UserSchema\)/);
    assert.match(refused.shown, /error: not confirmed; nothing was changed\n$/);
    assert.deepEqual(filesOf(cwd), before);
    const agreed = await runOnTerminal(["add", "cache"], cwd, keys("y"));
    assert.equal(agreed.exitCode, 0, agreed.shown);
    assert.match(agreed.shown, /added the cache redis\n/);
  });

  it("leaves to the caller what the caller has changed in the same lines, shows it, and does the rest", async (t) => {
    const cwd = createProject(t, { cache: "none" });
    edit(cwd, "src/service.ts", (text) => text.replace(/^ {2}needs: \{\n[\s\S]*?^ {2}\},\n/m, "  needs: own,\n"));
    const mine = readFileSync(join(cwd, "src/service.ts"), "utf8");
    const run = await runCli(["add", "cache", "redis", "--yes"], { cwd });
    assert.equal(run.exitCode, 3);
    assert.match(run.stderr, /^error: not changed, because you have edited the same lines: src\/service\.ts$/m);
    assert.match(run.stdout, /^\+\+\+ b\/src\/service\.ts\n[\s\S]*^\+ {4}cachedUsers: cache\(UserSchema\),$/m);
    assert.equal(readFileSync(join(cwd, "src/service.ts"), "utf8"), mine);
    assert.match(readFileSync(join(cwd, "config/default.yaml"), "utf8"), /redis:\n/);
    assert.match(succeeded(await runCli(["add", "cache", "redis"], { cwd })).stderr, /already/);
  });

  it("writes the migration of another database next to the one that may have been applied", async (t) => {
    const cwd = createProject(t);
    const applied = readFileSync(join(cwd, "migrations/0001_users.sql"), "utf8");
    succeeded(await runCli(["add", "database", "postgres", "--yes"], { cwd }));
    assert.equal(readFileSync(join(cwd, "migrations/0001_users.sql"), "utf8"), applied);
    assert.match(readFileSync(join(cwd, "migrations/0001_users.postgres.sql"), "utf8"), /TIMESTAMPTZ/);
    assert.match(readFileSync(join(cwd, "package.json"), "utf8"), /"pg": /);
  });

  it("does not let a second service host the registry of the machine", async (t) => {
    const parent = temporaryFolder(t);
    const folders = ["user-service", "order-service"].map((name) => join(parent, name));
    for (const [at, cwd] of folders.entries()) {
      const ports = portsFor(50_051 + at, true);
      writeFiles(cwd, renderProject(planOf(defaults({ discovery: "none" }), { ports })));
      succeeded(await runCli(["add", "discovery", "embedded", "--yes"], { cwd }));
      const development = readFileSync(join(cwd, "config/development.yaml"), "utf8");
      assert.match(development, at === 0 ? /serve: true/ : /serve: false/);
      succeeded(await runCli(["upgrade", "--check"], { cwd }));
    }
  });

  it("names the nearest concern and type, and asks for a type only on a terminal", async (t) => {
    const cwd = createProject(t);
    const first = async (...args: string[]): Promise<string> =>
      (await runCli(["add", ...args], { cwd })).stderr.split("\n")[0] ?? "";
    assert.equal(await first("cach"), 'error: invalid argument "cach": did you mean cache?');
    assert.equal(await first("cache", "reddis"), 'error: unknown cache "reddis": did you mean redis?');
    assert.equal(
      await first("cache", "none"),
      "error: tercel add cannot remove: delete the cache from the code and the configuration by hand",
    );
    assert.equal(await first("cache"), "error: missing type: expected one of memory, redis");
    edit(cwd, "tercel.yaml", (text) => text.replace(/template: .*/, "template: 0.0.9"));
    assert.equal(
      await first("cache", "redis"),
      `error: the project was written by tercel 0.0.9; this is tercel ${version}`,
    );
  });
});
