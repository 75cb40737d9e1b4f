// Which server is called where no one says which, and which one discovery names.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createRegistryService } from "@tercel/discovery/embedded";
import { createServer, systemClock } from "@tercel/grpc";
import { freePorts } from "@tercel/test-support/servers";
import { defaultTargetIn } from "../src/target/target-of.ts";
import { defaultTarget } from "../src/target/target-options.ts";
import { startLibrary } from "./library-server.ts";
import { temporaryFolder, writeFiles } from "./new-projects.ts";
import { runCli } from "./run-cli.ts";

const getBook = ["call", "LibraryService/GetBook", "-d", "id=7"];

function record(pid: number, services: readonly object[]): string {
  return JSON.stringify({ version: 1, pid, services });
}

describe("the server of a folder", () => {
  it("is the one that tercel dev runs there", async (t) => {
    const cwd = temporaryFolder(t);
    const { target } = await startLibrary(t);
    const folders = ["users", "orders"].map((name) => join(cwd, name));
    for (const folder of folders) mkdirSync(join(folder, "src"), { recursive: true });
    const [users = "", orders = ""] = folders;
    const services = [
      { name: "users", folder: users, target },
      { name: "orders", folder: orders },
    ];
    writeFiles(cwd, new Map([[".tercel/dev.json", record(process.pid, services)]]));
    const run = await runCli(getBook, { cwd: join(users, "src") });
    assert.equal(run.exitCode, 0, run.stderr);
    // One that does not listen is not guessed.
    assert.equal(defaultTargetIn(orders), defaultTarget);
  });

  it("has the port that its configuration says, if it is a number", (t) => {
    const cwd = temporaryFolder(t);
    const targetWith = (file: string, text: string): string => {
      writeFiles(cwd, new Map([[file, text]]));
      return defaultTargetIn(cwd);
    };
    assert.equal(targetWith("config/default.yaml", "service:\n  port: 50052\n"), "127.0.0.1:50052");
    const both = "service:\n  port: 8080\ncommunication:\n  providers:\n    grpc:\n      port: 9090\n";
    assert.equal(targetWith("config.yaml", both), "127.0.0.1:9090");
    assert.equal(targetWith("config.yaml", "service:\n  port: \u0024{PORT}\n"), defaultTarget);
    assert.equal(targetWith("config.yaml", "service: [\n"), defaultTarget);
  });

  it("gives way to --target and the environment", async (t) => {
    const cwd = temporaryFolder(t);
    const [port] = await freePorts(1);
    writeFiles(cwd, new Map([["config.yaml", `service:\n  port: ${port}\n`]]));
    const { target } = await startLibrary(t);
    assert.equal((await runCli(getBook, { cwd })).exitCode, 7);
    assert.equal((await runCli(getBook, { cwd, env: { TERCEL_TARGET: target } })).exitCode, 0);
    assert.equal((await runCli([...getBook, "--target", target], { cwd })).exitCode, 0);
  });
});

describe("a target of discovery", () => {
  const configured = (entry: string): ReadonlyMap<string, string> =>
    new Map([["config.yaml", `service:\n  name: caller\ndiscovery:\n  providers:\n${entry}`]]);

  it("is looked up in the registry of the configuration: embedded, without hosting it", async (t) => {
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const hosted = createRegistryService({ log, clock: systemClock });
    const registryServer = createServer({ routes: hosted.routes, log });
    const { port } = await registryServer.listen({ port: 0 });
    t.after(async () => {
      hosted.close();
      await registryServer.close({ deadlineMs: 0 });
    });
    const { target } = await startLibrary(t);
    const { createEmbeddedRegistry } = await import("@tercel/discovery/embedded");
    const registry = createEmbeddedRegistry({ target: `127.0.0.1:${port}`, log, clock: systemClock });
    t.after(() => registry.close());
    const [address = "", libraryPort = ""] = target.split(":");
    await registry.register({ name: "library", address, port: Number(libraryPort), version: "v1.2.0" });

    const cwd = temporaryFolder(t);
    writeFiles(cwd, configured(`    embedded:\n      target: 127.0.0.1:${port}\n      serve: true\n`));
    const run = await runCli([...getBook, "--target", "discovery:///library?version=v1"], { cwd });
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(run.stdout, /Middlemarch/);
    const none = await runCli([...getBook, "--target", "discovery:///library?version=v2", "--deadline", "2s"], { cwd });
    assert.equal(none.exitCode, 7, none.stderr);
    assert.match(none.stderr, /none of the 1 instances that the embedded registry at \S+ has matches/);
    const [{ id } = { id: "" }] = await registry.getService("library");
    const at = ["--target", "discovery:///library", "--instance"];
    assert.equal((await runCli([...getBook, ...at, id], { cwd })).exitCode, 0);
    assert.equal((await runCli([...getBook, ...at, "other", "--deadline", "2s"], { cwd })).exitCode, 7);
    const nowhere = await runCli([...getBook, "--instance", id, "--target", target], { cwd });
    assert.match(nowhere.stderr, /^error: --instance needs a target such as discovery:\/\/\/user-service, not /);
  });

  it("is found in a static list, by every command that calls", async (t) => {
    const { target } = await startLibrary(t);
    const cwd = temporaryFolder(t);
    writeFiles(cwd, configured(`    static:\n      services:\n        library: ["${target}"]\n`));
    const at = ["--target", "discovery:///library"];
    for (const args of [
      getBook,
      ["list"],
      ["health"],
      ["bench", ...getBook.slice(1), "--duration", "100ms", "--warmup", "0"],
    ]) {
      const run = await runCli([...args, ...at], { cwd });
      assert.equal(run.exitCode, 0, `${args.join(" ")}: ${run.stderr}`);
    }
  });

  it("says why it cannot be looked up: no registry, a wrong configuration, a registry that is away", async (t) => {
    const cwd = temporaryFolder(t);
    const failure = async (): Promise<string> => {
      const run = await runCli([...getBook, "--target", "discovery:///library", "--deadline", "3s"], { cwd });
      assert.equal(run.exitCode, 7, run.stderr);
      return run.stderr;
    };
    writeFiles(cwd, new Map([["config.yaml", "service:\n  name: caller\n"]]));
    assert.match(await failure(), /no registry is configured in .*: set discovery\.providers/);
    writeFiles(cwd, new Map([["config.yaml", "service:\n  name: caller\n  prot: 1\n"]]));
    assert.match(await failure(), /config\.yaml:3:3: unknown key service\.prot; did you mean port\?/);
    const [port] = await freePorts(1);
    writeFiles(cwd, configured(`    consul:\n      address: 127.0.0.1:${port}\n`));
    assert.match(await failure(), new RegExp(`discovery consul: .*connect ECONNREFUSED 127\\.0\\.0\\.1:${port}`));
  });
});
