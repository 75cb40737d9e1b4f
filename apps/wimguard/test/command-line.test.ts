import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startDaemon, type TestDaemon, wimguardCommand } from "./daemon/daemon-process.ts";
import { fillSlowly } from "./daemon/slow-source.ts";

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string) {
  const [program = "", ...rest] = wimguardCommand(...args);
  const { INIT_CWD: _, ...inherited } = process.env;
  const child = spawn(program, rest, {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const ended = once(child, "close").then(([code]): Ended => ({ code, out, err }));
  return { child, ended };
}

const wimguard = (args: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string): Promise<Ended> =>
  start(args, env, cwd).ended;

describe("the command line", () => {
  const cleanup: (() => unknown)[] = [];
  const context = { after: (work: () => unknown) => void cleanup.unshift(work) };
  let daemon: TestDaemon;
  let env: Record<string, string>;
  before(async () => {
    daemon = await startDaemon(context);
    env = { WIMGUARD_DIR: daemon.folders.data };
    writeFileSync(join(daemon.folders.source, "file"), "content\n");
  });
  after(async () => {
    for (const work of cleanup) await work();
  });
  const at = (...names: string[]) => join(daemon.folders.destinations, ...names);

  it("backs up, lists, restores and deletes", async () => {
    const { source, data } = daemon.folders;
    // Relative paths are the caller's, not the daemon's.
    const made = await wimguard(
      ["backup", "-s", "source", "-d", "destinations/a.tar.zst", "-D", "text"],
      env,
      join(data, ".."),
    );
    assert.deepEqual([made.code, made.err], [0, `backing up ${source} to ${at("a.tar.zst")}\n`]);
    const [, uuid = ""] = /uuid {5}(\S+)\n/.exec(made.out) ?? [];
    assert.match(
      made.out,
      /^backup completed\n {2}uuid {5}\S+\n {2}source {3}8 B in \S+\n {2}archive {2}\S+\n {2}time {5}\d+s\n$/,
    );

    const listed = await wimguard(["list", "--limit", "5"], env);
    assert.match(
      listed.out,
      new RegExp(
        `^UUID +CREATED +STATUS +TYPE +SIZE +NAME +DESTINATION\n${uuid} .+ completed +tar +8 B +source +${at("a.tar.zst")}\n$`,
      ),
    );
    assert.match((await wimguard(["get", uuid], env)).out, /\nstatus +completed\n/);

    const target = join(data, "restored");
    const plan = await wimguard(["restore", uuid, "-t", target, "--plan"], env);
    assert.match(plan.out, /^would create 2 entries with 8 B; .+ are free\n$/);
    const restored = await wimguard(["restore", uuid, "file", "-t", target, "--verify"], env);
    assert.deepEqual([restored.code, restored.err], [0, ""]);
    assert.match(restored.out, /^restore completed\n[\s\S]+verified {2}1 files\n/);
    assert.equal(readFileSync(join(target, "file"), "utf8"), "content\n");

    const refused = await wimguard(["delete", uuid], env);
    assert.equal(refused.code, 14);
    assert.match(
      refused.err,
      new RegExp(`${uuid}: completed backup of ${source} \\(8 B, .+\\) in ${at("a.tar.zst")}\n.+pass --yes\n$`),
    );
    const deleted = await wimguard(["delete", uuid, "--yes", "--quiet"], env);
    assert.deepEqual([deleted.code, deleted.out, deleted.err], [0, `deleted ${uuid}\n`, ""]);
    assert.deepEqual(readdirSync(daemon.folders.destinations), []);
    assert.equal((await wimguard(["list", "--offset", "0"], env)).out, "there are no backups\n");
  });

  it("prints one JSON object a line with --json, for failures too", async () => {
    const made = await wimguard(["backup", "--json", "-s", daemon.folders.source, "-d", at("j.tar")], env);
    const lines = made.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(new Set(lines.slice(0, -1).map(({ type }) => type)), new Set(["progress"]));
    const { type, size, warnings, destination } = lines.at(-1) ?? {};
    assert.deepEqual([type, size, warnings, destination, made.err], ["summary", 8, "", at("j.tar"), ""]);

    const failed = await wimguard(["backup", "--json", "-s", daemon.folders.source, "-d", at("j.tar")], env);
    const { message, ...error } = JSON.parse(failed.out.trim().split("\n").at(-1) ?? "");
    assert.deepEqual(
      [failed.code, error],
      [1, { type: "error", code: "AlreadyExists", reason: "DESTINATION_EXISTS", exitCode: 1 }],
    );
    assert.match(message, /exists already/);
    const usage = await wimguard(["--json", "backup"], env);
    assert.deepEqual(
      [usage.code, JSON.parse(usage.out)],
      [2, { type: "error", message: "required option '-s, --source <path>' not specified", exitCode: 2 }],
    );
  });

  it("exits with 3 after warnings", async (test) => {
    const { createServer } = await import("node:net");
    const source = join(daemon.folders.source, "with-socket");
    mkdirSync(source);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(source, "s"), resolve));
    test.after(() => server.close());
    const { code, err, out } = await wimguard(["backup", "-s", source, "-d", at("s.tar")], env);
    assert.equal(code, 3);
    assert.match(err, /warning: 1 socket was skipped: s\n/);
    assert.match(out, /^backup completed with warnings\n/);
  });

  for (const [what, args, more, code, text] of [
    ["an unknown command", ["frob"], {}, 2, /error: unknown command 'frob'/],
    ["an unknown option", ["list", "--limits", "1"], {}, 2, /unknown option '--limits'\n\(Did you mean --limit\?\)/],
    ["a missing option", ["backup", "-s", "/a"], {}, 2, /required option '-d, --destination <file>' not specified/],
    [
      "a count that is none",
      ["list", "--limit", "many"],
      {},
      2,
      /wimguard: invalid --limit "many": use a whole number from 0/,
    ],
    ["a timeout that is none", ["health", "--timeout", "1"], {}, 2, /wimguard: invalid duration "1"/],
    ["a port that is none", ["server", "--port", "65536"], {}, 2, /wimguard: invalid --port "65536"/],
    [
      "a role that is none",
      ["config", "token", "--role", "root"],
      {},
      2,
      /invalid --role "root": use reader, operator, admin/,
    ],
    ["a token for more than a day", ["config", "token", "--ttl", "25h"], {}, 2, /use 1s to 24h/],
    [
      "a daemon that is not there",
      ["health", "--server", "127.0.0.1:1"],
      {},
      5,
      /wimguard: no daemon answers at 127\.0\.0\.1:1: .+start one with "wimguard server"/,
    ],
    [
      "a folder that is missing",
      ["backup", "-s", "/etc/hostname", "-d", "/nowhere/a.tar"],
      {},
      10,
      /the folder \/nowhere does not exist/,
    ],
    [
      "a source that is missing",
      ["backup", "-s", "/nowhere", "-d", "/tmp/a.tar"],
      {},
      1,
      /the source \/nowhere does not exist/,
    ],
    ["an unknown backup", ["get", "c0ffee"], {}, 1, /there is no backup "c0ffee"/],
  ] as const) {
    it(`exits with ${code} for ${what}, and says why`, async () => {
      const ended = await wimguard(args, { ...env, ...more });
      assert.equal(ended.code, code, ended.err);
      assert.match(ended.err, text);
      assert.equal(ended.out, "");
    });
  }

  it("exits with 12 when its secret is not the daemon's", async (test) => {
    const other = await startDaemon(test);
    const { code, err } = await wimguard(["list", "--server", daemon.address], { WIMGUARD_DIR: other.folders.data });
    assert.deepEqual([code, err], [12, "wimguard: the token is not valid\n"]);
  });

  it("exits with 6 when there is no response in time", async (test) => {
    const { createServer } = await import("node:net");
    // Reads, so that it sees the end of the connection.
    const mute = createServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    test.after(() => mute.close());
    const { port } = mute.address() as { port: number };
    const { code, err } = await wimguard(["health", "--server", `127.0.0.1:${port}`, "--timeout", "500ms"], env);
    assert.equal(code, 6);
    assert.match(err, /no daemon answers at 127\.0\.0\.1:\d+: no response within 500 ms; start one/);
  });

  it("says that there is no config where no daemon has run", async () => {
    const { code, err } = await wimguard(["list", "--dir", at("nothing")], {});
    assert.equal(code, 2);
    assert.match(err, /there is no config at .+config\.yaml: run "wimguard server" once, or pass --dir/);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`cancels on ${signal}, waits until nothing is left, and exits with ${code}`, async () => {
      const source = join(daemon.folders.source, signal);
      mkdirSync(source);
      fillSlowly(source);
      const { child, ended } = start(["backup", "--json", "-s", source, "-d", at(`${signal}.tar`)], env);
      await new Promise<void>((resolve) => {
        child.stdout.on("data", (chunk) => {
          if (String(chunk).includes('"reading"')) resolve();
        });
      });
      child.kill(signal);
      const { code: exitCode, out } = await ended;
      assert.equal(exitCode, code);
      assert.match(out, /"message":"cancelled: nothing was left behind"/);
      assert.deepEqual(
        readdirSync(daemon.folders.destinations).filter((name) => /part|SIG/.test(name)),
        [],
      );
    });
  }

  it("shows the config without its secret, and checks it", async () => {
    const shown = await wimguard(["config", "show"], env);
    assert.match(shown.out, /appSecret: •••\n/);
    assert.ok(
      !JSON.stringify(await wimguard(["config", "show", "--json"], env)).includes(
        readFileSync(join(daemon.folders.data, "config.yaml"), "utf8").split("appSecret: ")[1]?.split("\n")[0] ?? "?",
      ),
    );
    assert.equal((await wimguard(["config", "validate"], env)).code, 0);
    assert.equal((await wimguard(["config", "path"], env)).out, `${join(daemon.folders.data, "config.yaml")}\n`);
    assert.match((await wimguard(["config", "token", "--ttl", "5m"], env)).out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});
