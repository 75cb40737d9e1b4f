// What tercel new writes, as a whole: it is generated, linted, type-checked and tested.
// Long: the type checker reads the sources of every package with each project.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { defaults, folderWithPackages, products, render, runNode, typeCheck, writeFiles } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

describe("the code of every combination", () => {
  it("passes the strict type checker", async (t) => {
    const folder = folderWithPackages(t);
    // Most flags change the configuration alone, so that few projects have code of their own.
    const projects = new Map<string, ReadonlyMap<string, string>>();
    for (const chosen of products) {
      for (const name of ["user-service", "order-item-service"]) {
        const files = new Map([...render(chosen, name)].filter(([path]) => /\.(ts|proto)$|^buf/.test(path)));
        projects.set([...files.values()].join("\n"), files);
      }
    }
    assert.equal(projects.size, 2 * 3 * 2 * 2 * 2);
    const generated = new Map<string, ReadonlyMap<string, string>>();
    for (const [at, files] of [...projects.values()].entries()) {
      const project = join(folder, `${at}`);
      writeFiles(project, files);
      const [proto = ""] = [...files.keys()].filter((path) => path.endsWith(".proto"));
      const contract = files.get(proto) ?? "";
      const path = proto.replace(/^proto(.*)\.proto$/, "gen$1_pb.ts");
      if (!generated.has(contract)) {
        for (const command of ["generate", "lint"]) {
          const run = await runCli([command], { cwd: project });
          assert.equal(run.exitCode, 0, run.stderr);
        }
        generated.set(contract, new Map([[path, readFileSync(join(project, path), "utf8")]]));
      }
      writeFiles(project, generated.get(contract) ?? new Map());
    }
    const { compilerOptions } = JSON.parse(render(defaults()).get("tsconfig.json") ?? "");
    const settings = { compilerOptions, include: ["*/gen", "*/src", "*/test"], exclude: ["node_modules"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    assert.deepEqual(typeCheck(folder), { exitCode: 0, output: "" });
  });
});

describe("tercel new", () => {
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
      /^equivalent command: tercel new user-service --type=grpc --with-database=sqlite --with-cache=none /m,
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
});

describe("tercel new --gateway", () => {
  it("gives each method a path, which is generated, linted and described", async (t) => {
    const cwd = folderWithPackages(t);
    const made = await runCli(["new", "order-item-service", "--gateway", "--yes", "--no-install", "--no-git"], { cwd });
    assert.equal(made.exitCode, 0, made.stderr);
    assert.match(made.stderr, /^equivalent command: tercel new order-item-service .* --gateway$/m);
    const project = join(cwd, "order-item-service");
    assert.equal((await runCli(["generate", "--check"], { cwd: project })).exitCode, 0);
    const lint = await runCli(["lint"], { cwd: project });
    assert.equal(lint.exitCode, 0, lint.stderr);
    assert.deepEqual(typeCheck(project), { exitCode: 0, output: "" });
    const proto = readFileSync(join(project, "proto/order_item/v1/order_item.proto"), "utf8");
    assert.deepEqual(
      [...proto.matchAll(/(get|post|patch|delete): "(.+)"/g)].map(([, verb, path]) => `${verb} ${path}`),
      [
        "get /v1/orderItems/{id}",
        "get /v1/orderItems",
        "post /v1/orderItems",
        "patch /v1/orderItems/{id}",
        "delete /v1/orderItems/{id}",
        "get /v1/orderItems/{id}:watch",
      ],
    );
    assert.match(
      readFileSync(join(project, "config/default.yaml"), "utf8"),
      /communication:\n {2}providers:\n {4}http: \{\}/,
    );
    assert.equal((await runCli(["config", "validate"], { cwd: project })).exitCode, 0);
  });
});

describe("tercel new --workspace", () => {
  const flags = ["--no-install", "--no-git", "--yes"];

  it("makes a repository whose services have ports of their own, are checked, tested and upgraded", async (t) => {
    const cwd = folderWithPackages(t);
    const made = await runCli(["new", "shop", "--workspace", ...flags], { cwd });
    assert.equal(made.exitCode, 0, made.stderr);
    assert.match(
      made.stderr,
      /^created shop: \d+ files\nequivalent command: tercel new shop --workspace --pm=npm\nnext:\n {2}cd shop\n {2}npm install\n {2}npx tercel new user-service\n/,
    );
    const shop = join(cwd, "shop");
    for (const name of ["user-service", "order-service"]) {
      const service = await runCli(["new", name, ...flags], { cwd: shop });
      assert.equal(service.exitCode, 0, service.stderr);
      assert.match(service.stderr, new RegExp(`^created services/${name}: `, "m"));
    }
    assert.match(readFileSync(join(shop, "services/order-service/config/default.yaml"), "utf8"), /port: 50052/);
    for (const folder of [shop, join(shop, "services/order-service")]) {
      assert.equal((await runCli(["upgrade", "--check"], { cwd: folder })).exitCode, 0);
    }
    for (const script of ["test", "check", "lint", "generate"]) {
      const { scripts } = JSON.parse(readFileSync(join(shop, "package.json"), "utf8"));
      assert.equal(scripts[script], `npm run ${script} --workspaces --if-present`);
    }
    const added = await runCli(["add", "cache", "redis"], { cwd: shop });
    assert.match(added.stderr, /^error: cannot add a concern to a workspace\n/);
    const service = join(shop, "services/order-service");
    assert.deepEqual(typeCheck(service), { exitCode: 0, output: "" });
  });
});

describe("tercel new --type=library", () => {
  const flags = ["--type=library", "--no-install", "--no-git"];

  it("makes a contract with a client, which is generated, linted, type-checked, tested and upgraded", async (t) => {
    const cwd = folderWithPackages(t);
    const made = await runCli(["new", "order-item-client", ...flags], { cwd });
    assert.equal(made.exitCode, 0, made.stderr);
    assert.match(made.stderr, /^equivalent command: tercel new order-item-client --type=library$/m);
    const project = join(cwd, "order-item-client");
    assert.match(readFileSync(join(project, "src/index.ts"), "utf8"), /^export function connectOrderItems\(/m);
    for (const command of [["generate", "--check"], ["lint"], ["upgrade", "--check"]]) {
      const run = await runCli(command, { cwd: project });
      assert.equal(run.exitCode, 0, run.stderr);
    }
    assert.deepEqual(typeCheck(project), { exitCode: 0, output: "" });
    const tests = runNode(["--conditions=source", "--test", "test/**/*.test.ts"], project);
    assert.equal(tests.exitCode, 0, tests.output);
  });
});
