// tercel build: what it makes runs where nothing is installed.
// Long: it compiles the declarations of every package, and then services.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { startCommand } from "@tercel/test-support/programs";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { editFile, makeProject } from "./dev-projects.ts";
import { root, runNode, temporaryFolder } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

/** Starts a built service in a folder, calls it, and stops it. */
async function tryService(
  t: TestContext,
  folder: string,
  main: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const settings = ["service.port=0", "monitoring.providers.prometheus.endpoint=127.0.0.1:0"];
  const args = [main, ...settings.flatMap((one) => ["--set", one])];
  const script = `cd "$0" && exec "$@"`;
  const service = startCommand(t, "/bin/sh", ["-c", script, folder, process.execPath, ...args], {
    NODE_ENV: "",
    NODE_OPTIONS: "",
    ...variables,
  });
  const startedAtMs = performance.now();
  for (;;) {
    const { message, address } = JSON.parse(await service.line()) as { message: string; address: string };
    if (message !== "ready") continue;
    t.diagnostic(`listens after ${Math.round(performance.now() - startedAtMs)} ms`);
    const data = ["-d", "name=Ada", "-d", "email=ada@example.com"];
    const call = await runCli(["call", "UserService/CreateUser", ...data, "--target", address]);
    assert.equal(call.exitCode, 0, call.stderr);
    const invalid = await runCli(["call", "UserService/CreateUser", "-d", "name=Ada", "--target", address]);
    assert.equal(invalid.exitCode, 67, invalid.stderr);
    break;
  }
  service.signal("SIGTERM");
  assert.deepEqual(await service.ended, [0, null]);
}

/** What an image holds: the service without its packages and sources. */
function deployed(t: TestContext, project: string): string {
  const folder = temporaryFolder(t);
  for (const part of ["config", "dist", "migrations"])
    cpSync(join(project, part), join(folder, part), { recursive: true });
  // The overlay for development asks for nothing that is not there.
  return folder;
}

describe("tercel build", () => {
  // Projects are checked against the packages' declarations, which a fresh copy of the repository does not have.
  before(() => {
    const tsc = join(root, "node_modules/.bin/tsc");
    const { status, stdout } = spawnSync(tsc, ["-b"], { cwd: root, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });

  it("makes a bundle that runs where nothing is installed, with its migrations and validation", async (t) => {
    const project = await makeProject(t);
    const built = await runCli(["build"], { cwd: project });
    assert.equal(built.exitCode, 0, built.stderr);
    assert.equal(built.stdout, "node dist/main.js\n");
    assert.match(built.stderr, /^\d+ files, \d\.\d\d MB \(.+\); to start it:$/m);
    t.diagnostic(built.stderr.split("\n")[0] ?? "");
    const folder = deployed(t, project);
    await tryService(t, folder, "dist/main.js");
    const health = runNode(["dist/main.js", "--check-config"], folder);
    assert.equal(health.exitCode, 0, health.output);
  });

  it("takes providers into the bundle that are installed, and names those that are not", async (t) => {
    const project = await makeProject(t, "user-service", ["--with-database=postgres", "--with-cache=redis"]);
    const { exitCode, stderr } = await runCli(["build"], { cwd: project });
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /not installed.*\b(?:pg|ioredis)\b/);
    const folder = deployed(t, project);
    // PostgreSQL is not there, but its driver is.
    const started = runNode(
      [
        "dist/main.js",
        "--migrate",
        "--set",
        "service.start.wait=1ms",
        "--set",
        "database.providers.postgres.url=postgres://postgres@127.0.0.1:1/x",
      ],
      folder,
    );
    assert.equal(started.exitCode, 1);
    assert.match(started.output, /ECONNREFUSED/);
  });

  it("makes a bundle in which CommonJS packages have their names, Redis for one", { skip: withoutRedis }, async (t) => {
    const project = await makeProject(t, "user-service", ["--with-cache=redis"]);
    const { exitCode, stderr } = await runCli(["build"], { cwd: project });
    assert.equal(exitCode, 0, stderr);
    const redis = await createRedisServer();
    t.after(() => redis.dispose());
    await redis.start();
    await tryService(t, deployed(t, project), "dist/main.js", { REDIS_URL: `redis://127.0.0.1:${redis.port}` });
  });

  it("makes a file for each with --no-bundle, and checks the types", async (t) => {
    const project = await makeProject(t);
    const built = await runCli(["build", "--no-bundle"], { cwd: project });
    assert.equal(built.exitCode, 0, built.stderr);
    assert.equal(built.stdout, "node dist/src/main.js\n");
    assert.ok(existsSync(join(project, "dist/migrations/0001_users.sql")));
    assert.ok(!readdirSync(project).some((name) => name.startsWith(".tercel-build")));
    editFile(join(project, "src/main.ts"), "await runService(", "const wrong: number = '1';\nawait runService(");
    const wrong = await runCli(["build", "--no-bundle"], { cwd: project });
    assert.equal(wrong.exitCode, 4);
    assert.match(wrong.stderr, /^error: src\/main\.ts\(\d+,\d+\): error TS2322/);
  });

  it("says where a service does not compile, and what finds its files from another place", async (t) => {
    const project = await makeProject(t);
    writeFileSync(join(project, "src/deep.ts"), "");
    editFile(join(project, "src/main.ts"), "await runService(", 'import "./absent.ts";\nawait runService(');
    const { exitCode, stderr } = await runCli(["build"], { cwd: project });
    assert.equal(exitCode, 4);
    assert.match(stderr, /^error: src\/main\.ts:\d+:\d+: Could not resolve "\.\/absent\.ts"$/m);
    const out = await runCli(["build", "--out", "../dist"], { cwd: project });
    assert.equal(out.exitCode, 2);
  });

  it("says what to install where esbuild is not", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "main.ts"), "");
    writeFileSync(join(folder, "config.yaml"), "");
    const { exitCode, stderr } = await runCli(["build"], { cwd: folder });
    assert.equal(exitCode, 1);
    assert.equal(
      stderr,
      "error: esbuild is not installed; it creates the bundle\nhint: npm install -D esbuild, or tercel build --no-bundle\n",
    );
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    assert.equal((await runCli(["build"], { cwd: folder })).exitCode, 0);
  });
});
