// The smallest program, as others see it: a client of another make, grpcurl, a shell.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { startCommand } from "@tercel/test-support/programs";
import { findProgram } from "@tercel/test-support/servers";

const program = bundleProgram(join(import.meta.dirname, "../programs/hello.ts"));
const node = [process.execPath, program] as const;
const run = promisify(execFile);
const grpcurl = findProgram("grpcurl");

interface Line {
  readonly message: string;
  readonly address?: string;
}

/** An empty folder to run in: no configuration is found there. */
function emptyFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-program-"));
  test.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function start(test: TestContext, args: readonly string[] = []) {
  const service = startCommand(test, "/usr/bin/env", [
    "-C",
    emptyFolder(test),
    ...node,
    "--set",
    "service.port=0",
    ...args,
  ]);
  for (;;) {
    const { message, address = "" } = JSON.parse(await service.line()) as Line;
    if (message === "ready") return { ...service, target: address };
  }
}

/** Runs the program to its end. */
function runHello(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runToItsEnd(program, folder, args, env);
}

function runToItsEnd(file: string, folder: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() };
}

describe("the smallest service", () => {
  it("is called by grpc-js, and drains at SIGTERM", async (t) => {
    const service = await start(t);
    const { target } = service;
    const definition = loadSync(join(import.meta.dirname, "../proto/tercel/service/test/v1/echo.proto"));
    const loaded = grpc.loadPackageDefinition(definition) as unknown as {
      tercel: { service: { test: { v1: { EchoService: grpc.ServiceClientConstructor } } } };
    };
    const client = new loaded.tercel.service.test.v1.EchoService(
      target,
      grpc.credentials.createInsecure(),
    ) as unknown as grpc.Client & {
      unary(request: object, done: (error: Error | null, response: { text: string }) => void): void;
    };
    t.after(() => client.close());
    const text = await new Promise((resolve, reject) =>
      client.unary({ text: "Ada" }, (error, response) => (error === null ? resolve(response.text) : reject(error))),
    );
    assert.equal(text, "Hello, Ada!");
    service.signal("SIGTERM");
    assert.deepEqual(await service.ended, [0, null]);
  });

  it("is listed and asked for its health by grpcurl", {
    skip: grpcurl === undefined && "grpcurl is not installed; .ci/run installs it",
  }, async (t) => {
    const { target } = await start(t);
    const ask = async (...args: readonly string[]) => (await run(grpcurl ?? "", ["-plaintext", ...args])).stdout;
    const services = (await ask(target, "list")).trim().split("\n");
    assert.deepEqual(services, [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "tercel.service.test.v1.EchoService",
    ]);
    for (const service of ["", "tercel.service.test.v1.EchoService", "tercel.self", "tercel.live"]) {
      const answer = await ask("-d", JSON.stringify({ service }), target, "grpc.health.v1.Health/Check");
      assert.deepEqual(JSON.parse(answer), { status: "SERVING" }, service);
    }
    const hello = await ask("-d", '{"text":"Ada"}', target, "tercel.service.test.v1.EchoService/Unary");
    assert.deepEqual(JSON.parse(hello), { text: "Hello, Ada!" });
  });

  it("says by itself whether it runs and serves", async (t) => {
    const { target } = await start(t);
    const port = target.slice(target.lastIndexOf(":") + 1);
    const folder = emptyFolder(t);
    assert.deepEqual(runHello(folder, ["--health", "--set", `service.port=${port}`]), {
      status: 0,
      stdout: "SERVING",
      stderr: "",
    });
    const away = runHello(folder, ["--health", "--set", "service.port=1"]);
    assert.equal(away.status, 1);
    assert.match(away.stdout, /ECONNREFUSED/);
  });

  it("reads its configuration from a file, a variable and an argument, the latter of which wins", (t) => {
    const folder = emptyFolder(t);
    writeFileSync(join(folder, "config.yaml"), "service:\n  port: abc\n");
    const wrong = runHello(folder, []);
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /^config\.yaml:2:9: service\.port is "abc"; expected a number from 0 to 65535$/);
    const fixed = runHello(folder, ["--check-config"], { TERCEL__SERVICE__PORT: "0", TERCEL_ENV: "development" });
    assert.deepEqual([fixed.status, fixed.stdout], [0, "the configuration is valid (environment development)"]);
    const over = runHello(folder, ["--check-config", "--set", "service.port=x"], { TERCEL__SERVICE__PORT: "0" });
    assert.match(over.stderr, /^--set service\.port: service\.port is "x"/);
  });

  it("says which argument it does not know", (t) => {
    const { status, stderr } = runHello(emptyFolder(t), ["--chek-config"]);
    assert.equal(status, 1);
    assert.match(stderr, /^unknown argument "--chek-config"; did you mean --check-config\?/);
  });

  it("ends with 1 and says why when its port is taken", async (t) => {
    const { target } = await start(t);
    const port = target.slice(target.lastIndexOf(":") + 1);
    const { status, stderr } = runHello(emptyFolder(t), ["--set", `service.port=${port}`]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      new RegExp(`^port ${port} of 127\\.0\\.0\\.1 is in use by another program; change service\\.port`),
    );
  });

  it("follows its configuration while it runs, and keeps what it has when that becomes wrong", async (t) => {
    const folder = emptyFolder(t);
    const file = join(folder, "config.yaml");
    writeFileSync(file, "service: {port: 0}\n");
    const service = startCommand(t, "/usr/bin/env", ["-C", folder, ...node]);
    const lineWith = async (
      text: string,
    ): Promise<Line & { readonly changed?: readonly string[]; problem?: string }> => {
      for (;;) {
        const line = JSON.parse(await service.line()) as Line;
        if (line.message.includes(text)) return line;
      }
    };
    await lineWith("ready");
    writeFileSync(file, "service: {port: 0}\nlogging: {providers: {console: {level: debug}}}\n");
    assert.deepEqual((await lineWith("configuration reloaded")).changed, ["logging.providers.console.level"]);
    writeFileSync(file, "service: {port: 0}\nlogging: {providers: {console: {level: loud}}}\n");
    assert.match((await lineWith("the previous one stays in effect")).problem ?? "", /config\.yaml:2:\d+: .*"loud"/);
    service.signal("SIGTERM");
    assert.deepEqual(await service.ended, [0, null]);
  });

  it("serves from several processes when it is configured", async (t) => {
    const service = await start(t, ["--set", "service.workers=2"]);
    const { target } = service;
    if (grpcurl !== undefined) {
      const { stdout } = await run(grpcurl, [
        "-plaintext",
        "-d",
        '{"text":"Ada"}',
        target,
        "tercel.service.test.v1.EchoService/Unary",
      ]);
      assert.deepEqual(JSON.parse(stdout), { text: "Hello, Ada!" });
    }
    service.signal("SIGTERM");
    assert.deepEqual(await service.ended, [0, null]);
  });
});

describe("a service with a database", () => {
  const keeper = bundleProgram(join(import.meta.dirname, "../programs/keeper.ts"));

  it("applies migrations by --migrate, without which production does not start", (t) => {
    const folder = emptyFolder(t);
    writeFileSync(join(folder, "0001_texts.sql"), "CREATE TABLE texts (text TEXT PRIMARY KEY) STRICT;\n");
    const config = "service:\n  port: 0\n  insecure: true\ndatabase:\n  providers:\n    sqlite: { path: texts.db }\n";
    writeFileSync(join(folder, "config.yaml"), config);
    const env = { MIGRATIONS: folder, TERCEL_ENV: "production" };
    const pending = runToItsEnd(keeper, folder, [], env);
    assert.equal(pending.status, 1);
    assert.match(pending.stderr, /0001_texts.*--migrate/s);
    const migrated = runToItsEnd(keeper, folder, ["--migrate"], env);
    assert.deepEqual([migrated.status, migrated.stdout.split("\n").at(-1)], [0, "migrated 1 database"]);
    const again = runToItsEnd(keeper, folder, ["--migrate"], env);
    assert.equal(again.status, 0);
  });

  it("that waits for its database ends well when it is told to stop", async (t) => {
    const folder = emptyFolder(t);
    const service = startCommand(
      t,
      "/usr/bin/env",
      [
        ...["-C", folder, process.execPath, keeper, "--set", "service.port=0"],
        ...["--set", "service.start.wait=60s", "--set", "database.providers.postgres.url=postgres://x@127.0.0.1:1/x"],
      ],
      { MIGRATIONS: folder },
    );
    const { message } = JSON.parse(await service.line()) as Line;
    assert.match(message, /^database postgres: .*ECONNREFUSED.*, attempt 1, next in 0\.\d s$/);
    service.signal("SIGTERM");
    assert.deepEqual(await service.ended, [0, null]);
  });
});
