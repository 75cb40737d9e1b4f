// tercel new as a command: one project is checked and tested, and what goes wrong is said.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { newService } from "../src/new/new-service.ts";
import { folderWithPackages, runNode, temporaryFolder, typeCheck, writeFiles } from "./new-projects.ts";
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
      "src/access.ts",
      "src/main.ts",
      "src/service.ts",
      "src/store.ts",
      "src/users.ts",
      "tercel.yaml",
      "test/service.test.ts",
      "test/store.test.ts",
      "tsconfig.json",
      "",
    ]);
    assert.deepEqual(readdirSync(cwd), []);
  });

  it("makes a project that is generated, linted, type-checked and tested", async (t) => {
    const cwd = folderWithPackages(t);
    const made = await runCli(["new", "user-service", "--with-cache=none", "--yes", "--no-install", "--no-git"], {
      cwd,
    });
    assert.equal(made.exitCode, 0, made.stderr);
    assert.equal(made.stdout, "");
    assert.match(made.stderr, /^created user-service: \d+ files$/m);
    assert.match(
      made.stderr,
      /^the same again: tercel new user-service --type=grpc --with-database=sqlite --with-cache=none /m,
    );
    assert.deepEqual(readdirSync(cwd).sort(), ["node_modules", "user-service"]);

    const project = join(cwd, "user-service");
    assert.equal((await runCli(["generate", "--check"], { cwd: project })).exitCode, 0);
    const lint = await runCli(["lint"], { cwd: project });
    assert.equal(lint.exitCode, 0, lint.stderr);
    assert.deepEqual(typeCheck(project), { exitCode: 0, output: "" });
    const tests = runNode(["--conditions=source", "--test", "test/**/*.test.ts"], project);
    assert.equal(tests.exitCode, 0, tests.output);
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
        "error: folder user-service is not empty: it has a, b, c and 2 more\nhint: choose another folder with --dir\n",
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
    assert.match(failed.stderr, /^error: yarn install ended with exit code 3$/m);
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
      /error: pnpm is not installed\n {2}every file of the project was written\nhint: in its folder: pnpm install/,
    );
    assert.ok(existsSync(join(cwd, "user-service/package.json")));
  });

  it("says which Node it needs", async () => {
    const context = {} as Parameters<typeof newService>[2];
    const options = { install: false, git: false };
    await assert.rejects(newService("user-service", options, context, "v20.19.0"), {
      message: "Node v20.19.0 is older than 22.18",
      hint: "install Node 22.18 or newer",
    });
  });
});
