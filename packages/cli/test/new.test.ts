// tercel new as a command: what it writes where, and what it says when something goes wrong.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder, writeFiles } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

describe("tercel new", () => {
  const printed = ["new", "user-service", "--type=grpc", "--with-database=postgres", "--with-monitoring=prometheus"];

  it("writes nothing with --dry-run, and lists what it would", async (t) => {
    const cwd = temporaryFolder(t);
    const { exitCode, stdout, stderr } = await runCli([...printed, "--with-auth=jwt", "--dry-run"], { cwd });
    assert.deepEqual([exitCode, stderr], [0, ""]);
    assert.deepEqual(stdout.split("\n"), [
      ".env.example",
      ".gitignore",
      "AGENTS.md",
      "README.md",
      "buf.gen.yaml",
      "buf.yaml",
      "config/default.yaml",
      "config/development.yaml",
      "config/production.yaml",
      "migrations/0001_users.sql",
      "package.json",
      "proto/user/v1/user.proto",
      "requests/create-user.yaml",
      "src/access.ts",
      "src/main.ts",
      "src/service.ts",
      "src/store.ts",
      "src/users.ts",
      "tercel.lock",
      "tercel.yaml",
      "test/service.test.ts",
      "test/store.test.ts",
      "tsconfig.json",
      "",
    ]);
    assert.deepEqual(readdirSync(cwd), []);
  });

  it("makes the same project in the folder that --dir names, empty or not there", async (t) => {
    const cwd = temporaryFolder(t);
    mkdirSync(join(cwd, "empty"));
    const before = statSync(join(cwd, "empty")).ino;
    for (const dir of ["empty", "deep/er"]) {
      const args = ["new", "user-service", "--dir", dir, "--no-install", "--no-git"];
      const { exitCode, stderr } = await runCli(args, { cwd, env: { PATH: "" } });
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^ {2}npm install\n {2}npm run generate$/m);
      assert.ok(existsSync(join(cwd, dir, "src/users.ts")));
      assert.ok(!existsSync(join(cwd, dir, "gen")));
    }
    assert.deepEqual(readdirSync(cwd).sort(), ["deep", "empty"]);
    assert.deepEqual(readdirSync(join(cwd, "empty")).sort(), readdirSync(join(cwd, "deep/er")).sort());
    // A shell that is in the folder stays in it.
    assert.equal(statSync(join(cwd, "empty")).ino, before);
  });

  it("makes a Git repository, unless it is in one", async (t) => {
    const cwd = temporaryFolder(t);
    const args = (name: string) => ["new", name, "--no-install"];
    assert.equal((await runCli(args("user-service"), { cwd })).exitCode, 0);
    assert.ok(existsSync(join(cwd, "user-service/.git")));
    const inner = join(cwd, "user-service");
    assert.equal((await runCli(args("order-service"), { cwd: inner })).exitCode, 0);
    assert.ok(!existsSync(join(inner, "order-service/.git")));
  });

  it("refuses a folder that is not empty, and leaves it as it was", async (t) => {
    const cwd = temporaryFolder(t);
    writeFiles(cwd, new Map(["a", "b", "c", "d", "e"].map((name) => [`user-service/${name}`, name])));
    const full = await runCli(printed, { cwd });
    assert.deepEqual(full, {
      exitCode: 1,
      stdout: "",
      stderr:
        "error: folder user-service is not empty: it contains a, b, c and 2 more\nhint: choose another folder with --dir\n",
    });
    assert.deepEqual(readdirSync(cwd), ["user-service"]);
    const file = await runCli(["new", "user-service", "--dir", "user-service/a"], { cwd });
    assert.match(file.stderr, /^error: user-service\/a is a file, not a folder\n/);
  });

  it("installs with the package manager that runs it, or the one that --pm names", async (t) => {
    const cwd = temporaryFolder(t);
    for (const [name, exitCode] of [
      ["pnpm", 0],
      ["yarn", 3],
    ] as const) {
      writeFileSync(join(cwd, name), `#!/bin/sh\necho "${name} $* in $PWD"\nexit ${exitCode}\n`, {
        mode: 0o755,
      });
    }
    const env = { PATH: cwd, npm_config_user_agent: "pnpm/10.2.0 npm/? node/v24.0.0 linux x64" };
    const installed = await runCli(["new", "user-service", "--no-git"], { cwd, env });
    assert.equal(installed.exitCode, 0, installed.stderr);
    assert.equal(installed.stdout, "");
    assert.match(installed.stderr, /^pnpm install in \S+\/user-service$/m);
    assert.match(installed.stderr, /^next:\n {2}cd user-service\n {2}pnpm run generate\n {2}pnpm run test\n/m);
    const failed = await runCli(["new", "order-service", "--no-git", "--pm=yarn"], { cwd, env });
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /^yarn install in \S+\/order-service$/m);
    assert.match(failed.stderr, /^error: yarn install exited with code 3$/m);
  });

  it("says that every file is there when packages cannot be installed", async (t) => {
    const cwd = temporaryFolder(t);
    const { exitCode, stderr } = await runCli(["new", "user-service", "--no-git", "--pm=pnpm"], {
      cwd,
      env: { PATH: "" },
    });
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /error: pnpm is not installed\n {2}all files of the project were written\nhint: in its folder: pnpm install/,
    );
    assert.ok(existsSync(join(cwd, "user-service/package.json")));
  });
});

describe("tercel new next to other services", () => {
  const flags = ["--no-install", "--no-git"];
  const settingsOf = (folder: string): string =>
    ["default", "development"].map((name) => readFileSync(join(folder, `config/${name}.yaml`), "utf8")).join("\n");

  it("chooses ports that none of them has, and lets one of them host the registry", async (t) => {
    const cwd = temporaryFolder(t);
    const env = { PATH: "" };
    const names = ["user-service", "order-service", "stock-service"];
    for (const name of names) assert.equal((await runCli(["new", name, ...flags], { cwd, env })).exitCode, 0);
    const [users = "", orders = "", stock = ""] = names.map((name) => settingsOf(join(cwd, name)));
    assert.match(users, /port: 50051\n[\s\S]*serve: true/);
    assert.doesNotMatch(users, /endpoint: /);
    assert.match(orders, /port: 50052 #[\s\S]*endpoint: 127\.0\.0\.1:9465\n[\s\S]*serve: false/);
    assert.match(stock, /port: 50053 #[\s\S]*endpoint: 127\.0\.0\.1:9466\n[\s\S]*serve: false/);
    rmSync(join(cwd, "order-service"), { recursive: true });
    const again = await runCli(["new", "basket-service", ...flags], { cwd, env });
    assert.match(settingsOf(join(cwd, "basket-service")), /port: 50052 #/);
    assert.match(again.stderr, /^equivalent command: tercel new basket-service .* --port=50052$/m);
  });

  it("takes the port that --port names, and records it for tercel upgrade", async (t) => {
    const cwd = temporaryFolder(t);
    const args = ["new", "user-service", "--port", "7000", ...flags];
    assert.equal((await runCli(args, { cwd, env: { PATH: "" } })).exitCode, 0);
    const project = join(cwd, "user-service");
    assert.match(settingsOf(project), /port: 7000 #[\s\S]*endpoint: 127\.0\.0\.1:7001\n/);
    assert.equal((await runCli(["upgrade", "--check"], { cwd: project })).exitCode, 0);
  });
});

describe("tercel new --gateway", () => {
  it("is what tercel add gateway makes of a service without it", async (t) => {
    const cwd = temporaryFolder(t);
    const args = (...more: string[]) => ["new", "user-service", "--yes", "--no-install", "--no-git", ...more];
    assert.equal((await runCli(args("--dir", "a/user-service"), { cwd, env: { PATH: "" } })).exitCode, 0);
    assert.equal((await runCli(args("--dir", "b/user-service", "--gateway"), { cwd, env: { PATH: "" } })).exitCode, 0);
    const added = await runCli(["add", "gateway", "--yes"], { cwd: join(cwd, "a/user-service") });
    assert.equal(added.exitCode, 0, added.stderr);
    for (const file of readdirSync(join(cwd, "b/user-service"), { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      assert.equal(readFileSync(path.replace("/b/", "/a/"), "utf8"), readFileSync(path, "utf8"), path);
    }
  });
});

describe("tercel new --workspace", () => {
  it("installs the packages of all services in its folder, with its own package manager", async (t) => {
    const cwd = temporaryFolder(t);
    for (const name of ["pnpm", "npm"]) {
      writeFileSync(join(cwd, name), `#!/bin/sh\necho "${name} $* in $PWD"\n`, { mode: 0o755 });
    }
    const env = { PATH: cwd };
    const args = (...more: string[]) => ["new", ...more, "--no-git"];
    const made = await runCli(args("shop", "--workspace", "--pm=pnpm"), { cwd, env });
    assert.equal(made.exitCode, 0, made.stderr);
    assert.match(
      readFileSync(join(cwd, "shop/pnpm-workspace.yaml"), "utf8"),
      /^packages:\n {2}- services\/\*\n {2}- packages\/\*\n$/,
    );
    const service = await runCli(args("user-service"), { cwd: join(cwd, "shop"), env });
    assert.equal(service.exitCode, 0, service.stderr);
    assert.match(service.stderr, /^pnpm install in \S+\/shop$/m);
  });

  it("refuses what only a service has", async (t) => {
    const cwd = temporaryFolder(t);
    for (const [flag, shown] of [
      ["--with-cache=redis", "--with-cache"],
      ["--gateway", "--gateway"],
      ["--port=7000", "--port"],
    ] as const) {
      const run = await runCli(["new", "shop", "--workspace", flag], { cwd });
      assert.deepEqual(
        [run.exitCode, run.stderr.split("\n")[0]],
        [2, `error: ${shown} applies only to services, and --workspace creates a repository for services`],
      );
    }
    assert.deepEqual(readdirSync(cwd), []);
  });
});

describe("tercel new --type=library", () => {
  const flags = ["--type=library", "--no-install", "--no-git"];

  it("is put among the packages of a workspace", async (t) => {
    const cwd = temporaryFolder(t);
    const env = { PATH: "" };
    assert.equal((await runCli(["new", "shop", "--workspace", ...flags.slice(1)], { cwd, env })).exitCode, 0);
    const made = await runCli(["new", "stock-client", ...flags], { cwd: join(cwd, "shop"), env });
    assert.match(made.stderr, /^created packages\/stock-client: \d+ files$/m);
    assert.match(
      made.stderr,
      /^next:\n {2}cd packages\/stock-client\n {2}npm install\n {2}npm run generate\n {2}npm run test\n$/m,
    );
  });

  it("refuses what only a service has", async (t) => {
    const run = await runCli(["new", "user-client", ...flags, "--with-database=none"], { cwd: temporaryFolder(t) });
    assert.deepEqual(
      [run.exitCode, run.stderr.split("\n")[0]],
      [2, "error: --with-database applies only to services, and --type=library creates a client package"],
    );
  });
});
