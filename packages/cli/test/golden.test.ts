// The words of the command line: the help of each command, and what mistakes print. UPDATE_GOLDEN=1 writes the files.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { runCli } from "./run-cli.ts";

const golden = join(import.meta.dirname, "golden");

function matchesFile(name: string, text: string): void {
  const file = join(golden, name);
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"), name);
}

const commands = [
  "add",
  "bench",
  "breaking",
  "build",
  "call",
  "completion",
  "config",
  "db",
  "deploy",
  "describe",
  "dev",
  "doctor",
  "generate",
  "health",
  "lint",
  "list",
  "new",
  "token",
  "upgrade",
  "wait",
];

/** Mistakes that need no server. */
const mistakes: readonly (readonly string[])[] = [
  [],
  ["cal"],
  ["call"],
  ["call", "--tagret", "x"],
  ["call", "a/b", "-o", "yaml"],
  ["call", "a/b", "-o", "jsn"],
  ["call", "a/b", "--deadline", "30"],
  ["call", "a/b", "--target", "http://localhost"],
  ["call", "a/b", "--target", "localhost:99999"],
  ["call", "a/b", "c"],
  ["call", "a/b", "--from"],
  ["config"],
  ["config", "shw"],
  ["db"],
  ["db", "migrat"],
  ["db", "new"],
  ["db", "new", "orders", "--for", "postgre"],
  ["db", "rollback", "--steps", "all"],
  ["db", "status", "--migrations", "absent"],
  ["list", "--descriptor-set", "none.binpb"],
  ["wait", "--status", "helthy"],
  ["breaking"],
  ["completion", "csh"],
  ["bench", "a/b", "--rate", "10", "--concurrency", "5"],
  ["bench", "a/b", "--rate", "fast"],
  ["bench", "a/b", "--stages", "10"],
  ["bench", "a/b", "--workers", "0"],
  ["token"],
  ["token", "--key-file", "none.key"],
  ["dev", "--wach"],
  ["dev", "--set", "service.port"],
  ["dev", "--env-file"],
  ["build", "--no-bundel"],
  ["deploy"],
  ["deploy", "kubernetes"],
  ["deploy", "k8s", "--imag", "users:1"],
  ["generate", "--check", "--watch"],
  ["new"],
  ["new", "User Service"],
  ["new", "event-service"],
  ["new", "user-service", "--with-database=mysql"],
  ["new", "user-service", "--with-database=postgre"],
  ["new", "user-service", "--with-cach", "redis"],
  ["new", "user-service", "--port", "70000"],
  ["new", "Shop", "--workspace"],
  ["add"],
  ["add", "cach"],
  ["add", "cache", "redis"],
  ["upgrade"],
];

describe("the words of the command line", () => {
  it("help", async () => {
    const { exitCode, stdout, stderr } = await runCli(["--help"]);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    matchesFile("help/tercel.txt", stdout);
  });

  for (const command of commands) {
    it(`help of ${command}`, async () => {
      const { exitCode, stdout, stderr } = await runCli([command, "--help"]);
      assert.deepEqual([exitCode, stderr], [0, ""]);
      matchesFile(`help/${command}.txt`, stdout);
      assert.equal((await runCli(["help", command])).stdout, stdout);
    });
  }

  for (const part of ["migrate", "status", "new", "rollback", "seed", "shell"]) {
    it(`help of db ${part}`, async () => {
      const { exitCode, stdout, stderr } = await runCli(["db", part, "--help"]);
      assert.deepEqual([exitCode, stderr], [0, ""]);
      matchesFile(`help/db-${part}.txt`, stdout);
    });
  }

  it("mistakes", async () => {
    const shown: string[] = [];
    for (const args of mistakes) {
      const { exitCode, stdout, stderr } = await runCli(args);
      assert.equal(stdout, "", args.join(" "));
      shown.push(`$ tercel ${args.join(" ")}\n${stderr}exit code ${exitCode}\n`);
    }
    matchesFile("mistakes.txt", shown.join("\n"));
  });

  it("mistakes as JSON", async () => {
    const { exitCode, stderr } = await runCli(["list", "--tagret", "x", "-o", "json"]);
    assert.equal(exitCode, 2);
    assert.deepEqual(JSON.parse(stderr), {
      version: 1,
      error: { message: 'unknown option "--tagret"; did you mean --target?', exitCode: 2 },
    });
  });

  it("a version", async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8"));
    assert.equal((await runCli(["--version"])).stdout, `${version}\n`);
  });
});
