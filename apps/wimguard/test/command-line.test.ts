import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { runCommand } from "../src/command/program.ts";
import { createSuiteContext } from "./daemon/cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon/daemon-in-process.ts";
import { makeFolders, wimguardCommand } from "./daemon/daemon-process.ts";
import { type HeldTar, makeHeldTar, useHeldTar } from "./daemon/held-tar.ts";

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

/** In a process of its own, as a user starts it. */
const inProcess = (args: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string): Promise<Ended> =>
  start(args, env, cwd).ended;

/** In this process, which takes a hundredth of the time. */
async function wimguard(...args: string[]): Promise<Ended> {
  const [out, err] = [new TextSink(), new TextSink()];
  const code = await runCommand(args, { out, err });
  return { code, out: out.text, err: err.text };
}

class TextSink extends Writable {
  text = "";

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

describe("the command line", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let tar: HeldTar;
  let env: Record<string, string>;
  before(async () => {
    const folders = makeFolders(context);
    tar = makeHeldTar(context, folders.data);
    useHeldTar(context, tar);
    daemon = await startInProcess(context, { folders });
    env = { WIMGUARD_DIR: daemon.folders.data };
    const { WIMGUARD_DIR: before } = process.env;
    Object.assign(process.env, env);
    context.after(() => {
      if (before === undefined) delete process.env.WIMGUARD_DIR;
      else process.env.WIMGUARD_DIR = before;
    });
    writeFileSync(join(daemon.folders.source, "file"), "content\n");
  });
  after(() => context.clean());
  const at = (...names: string[]) => join(daemon.folders.destinations, ...names);

  it("backs up, lists, restores and deletes", async () => {
    const { source, data } = daemon.folders;
    // Relative paths are the caller's, not the daemon's.
    const made = await inProcess(
      ["backup", "-s", "source", "-d", "destinations/a.tar.zst", "-D", "text"],
      env,
      join(data, ".."),
    );
    assert.equal(made.code, 0);
    // After ten seconds, on a machine that has much to do, the progress is a line.
    assert.match(made.err, new RegExp(`^backing up ${source} to ${at("a.tar.zst")}\n(?:(?:\\d+% .+|\\w+)\n)*$`));
    const [, uuid = ""] = /uuid {5}(\S+)\n/.exec(made.out) ?? [];
    assert.match(
      made.out,
      /^backup completed\n {2}uuid {5}\S+\n {2}source {3}8 B in \S+\n {2}archive {2}\S+\n {2}time {5}\d+s\n$/,
    );

    const listed = await wimguard("list", "--limit", "5");
    assert.match(
      listed.out,
      new RegExp(
        `^UUID +CREATED +STATUS +TYPE +SIZE +NAME +DESTINATION\n${uuid} .+ completed +tar +8 B +source +${at("a.tar.zst")}\n$`,
      ),
    );
    assert.match((await wimguard("get", uuid)).out, /\nstatus +completed\n/);

    const target = join(data, "restored");
    const plan = await wimguard("restore", uuid, "-t", target, "--plan");
    assert.match(plan.out, /^would create 2 entries with 8 B; .+ are free\n$/);
    const restored = await wimguard("restore", uuid, "file", "-t", target, "--verify");
    assert.deepEqual([restored.code, restored.err], [0, ""]);
    assert.match(restored.out, /^restore completed\n[\s\S]+verified {2}1 file\n/);
    assert.equal(readFileSync(join(target, "file"), "utf8"), "content\n");

    const refused = await wimguard("delete", uuid);
    assert.equal(refused.code, 14);
    assert.match(
      refused.err,
      new RegExp(`${uuid}: completed backup of ${source} \\(8 B, .+\\) in ${at("a.tar.zst")}\n.+pass --yes\n$`),
    );
    const deleted = await wimguard("delete", uuid, "--yes", "--quiet");
    assert.deepEqual([deleted.code, deleted.out, deleted.err], [0, `deleted ${uuid}\n`, ""]);
    assert.deepEqual(readdirSync(daemon.folders.destinations), []);
    assert.equal((await wimguard("list", "--offset", "0")).out, "no backups yet\n");
  });

  it("prints one JSON object a line with --json, for failures too", async () => {
    const made = await wimguard("backup", "--json", "-s", daemon.folders.source, "-d", at("j.tar"));
    const lines = made.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(new Set(lines.slice(0, -1).map(({ type }) => type)), new Set(["progress"]));
    const { type, size, warnings, destination } = lines.at(-1) ?? {};
    assert.deepEqual([type, size, warnings, destination, made.err], ["summary", 8, "", at("j.tar"), ""]);

    const failed = await wimguard("backup", "--json", "-s", daemon.folders.source, "-d", at("j.tar"));
    const { message, ...error } = JSON.parse(failed.out.trim().split("\n").at(-1) ?? "");
    assert.deepEqual(
      [failed.code, error],
      [1, { type: "error", code: "AlreadyExists", reason: "DESTINATION_EXISTS", exitCode: 1 }],
    );
    assert.match(message, /already exists/);
    const usage = await wimguard("--json", "backup");
    assert.deepEqual(
      [usage.code, JSON.parse(usage.out)],
      [2, { type: "error", message: "required option '-s, --source <path>' not specified", exitCode: 2 }],
    );
  });

  it("looks into backups, proves them, and gives names to what they are made of", async () => {
    const { data } = daemon.folders;
    const source = join(daemon.folders.source, "own");
    mkdirSync(source);
    writeFileSync(join(source, "file"), "content\n");
    assert.equal((await wimguard("registry", "add-source", "work", source, "--exclude", "*.tmp")).code, 0);
    assert.equal((await wimguard("registry", "add-destination", "disk", at(), "--template", "{name}.tar.zst")).code, 0);
    assert.match(
      (await wimguard("registry", "sources")).out,
      /^NAME +UUID +PATH +EXCLUDES\nwork +\S+ +\S+own +\*\.tmp\n$/,
    );
    assert.match(
      (await wimguard("registry", "test", "disk")).out,
      /^write +ok \d+ ms\nread +ok .+\nlist +ok .+\nremove ok .+\n$/,
    );
    assert.match((await wimguard("registry", "engines")).out, /\ntar +\d\S+ +ZSTD:1-19 NONE/);
    writeFileSync(join(source, "left.tmp"), "");
    const made = await wimguard("backup", "-s", "work", "-d", "disk", "--json");
    const { uuid } = JSON.parse(made.out.trimEnd().split("\n").at(-1) ?? "") as { uuid: string };
    assert.ok(readdirSync(daemon.folders.destinations).includes("own.tar.zst"));

    assert.match(
      (await wimguard("snapshot", "list", "--filter", "engine = ENGINE_TAR")).out,
      new RegExp(`\n${uuid} .+ tar +8 B`),
    );
    assert.match((await wimguard("snapshot", "ls", uuid)).out, /^-rw\S+ \d+:\d+ +8 B \S+ file\n$/);
    assert.equal((await wimguard("snapshot", "cat", uuid, "file")).out, "content\n");
    assert.match((await wimguard("snapshot", "find", "file")).out, new RegExp(`^${uuid}  `));
    assert.match((await wimguard("snapshot", "tag", uuid, "kind=weekly")).out, /\ntags +kind=weekly\n/);
    assert.match((await wimguard("snapshot", "pin", uuid)).out, /\npinned +true\n/);
    const pinned = await wimguard("snapshot", "delete", uuid, "--yes");
    assert.deepEqual(
      [pinned.code, pinned.err],
      [1, `wimguard: snapshot ${uuid} is pinned: unpin it before you delete it\n`],
    );
    assert.match(
      (await wimguard("check", uuid)).out,
      /^snapshot [0-9a-f-]{36}: is as it was backed up, 1 file, 8 B, \d+s\n$/,
    );
    assert.match((await wimguard("check", "--drill")).out, /^proved restorable, 2 files, 16 B, \d+s\n$/);

    const target = join(data, "used");
    mkdirSync(target);
    writeFileSync(join(target, "file"), "mine");
    const plan = await wimguard("restore", uuid, "-t", target, "--conflict", "overwrite", "--plan");
    assert.match(plan.out, /^would create 0 entries with 8 B, replace 1, keep 1 unchanged; .+ are free\n$/);
    const refused = await wimguard("restore", uuid, "-t", target, "--conflict", "overwrite");
    assert.deepEqual([refused.code, readFileSync(join(target, "file"), "utf8")], [14, "mine"]);
    assert.match(refused.err, /: will create 0 entries .+\n.+nothing was restored: .+pass --yes\n$/);
    assert.equal((await wimguard("restore", uuid, "-t", target, "--conflict", "overwrite", "--yes")).code, 0);
    assert.equal(readFileSync(join(target, "file"), "utf8"), "content\n");

    const [, env = ""] = /recorded (\S+)/.exec((await wimguard("env", "capture")).out) ?? [];
    assert.match((await wimguard("env", "show", env)).out, /\nvariables:\n/);
    assert.equal((await wimguard("env", "diff", env)).code, 0);
    assert.match((await wimguard("env", "export", env, "--format", "sh")).out, /^export PATH=/m);

    assert.equal((await wimguard("snapshot", "unpin", uuid)).code, 0);
    assert.equal((await wimguard("snapshot", "delete", uuid, "--yes")).out, `deleted ${uuid}\n`);
    for (const name of ["work", "disk"]) assert.equal((await wimguard("registry", "remove", name)).code, 0);
  });

  it("backs up by schedules, and says what they keep", async () => {
    const { source } = daemon.folders;
    await wimguard("registry", "add-source", "home", source);
    await wimguard("registry", "add-destination", "shelf", at(), "--template", "shelf.tar");
    const options = ["-s", "home", "-d", "shelf", "--cron", "30 2 * * *", "--zone", "UTC", "--keep", "daily=7"];
    const made = await wimguard("schedule", "create", "nightly", ...options);
    assert.match(made.out, /^nightly runs every day at 02:30 \(UTC\):\n( {2}\d{4}-\d\d-\d\dT02:30:00Z\n){5}$/);
    const ran = await wimguard("schedule", "run", "nightly");
    assert.equal(ran.code, 0, ran.err);
    assert.match(ran.out, / {2}backup +completed +/);
    assert.match((await wimguard("schedule", "list")).out, /\nnightly +ok +\S+ +\S+T02:30:00Z +30 2 \* \* \*\n$/);
    assert.match((await wimguard("schedule", "runs", "--limit", "1")).out, / {2}backup +completed +/);
    assert.match(
      (await wimguard("schedule", "retention", "nightly")).out,
      / keep +daily 1 of 7: .+\n0 snapshots would be deleted/,
    );
    assert.match((await wimguard("stats")).out, /^1 schedule: 1 ok\nruns +\d+: /);
    assert.match((await wimguard("schedule", "pause", "nightly")).out, /^nightly is paused\n$/);
    assert.equal((await wimguard("schedule", "delete", "nightly")).code, 0);
    assert.equal((await wimguard("schedule", "next", "nightly")).code, 2);
    for (const name of ["home", "shelf"]) await wimguard("registry", "remove", name);
  });

  it("exits with 3 after warnings", async (test) => {
    const { createServer } = await import("node:net");
    const source = join(daemon.folders.source, "with-socket");
    mkdirSync(source);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(source, "s"), resolve));
    test.after(() => server.close());
    const { code, err, out } = await wimguard("backup", "-s", source, "-d", at("s.tar"));
    assert.equal(code, 3);
    assert.match(err, /warning: 1 socket was skipped: s\n/);
    assert.match(out, /^backup completed with warnings\n/);
  });

  for (const [what, args, code, text] of [
    ["an unknown command", ["frob"], 2, /error: unknown command 'frob'/],
    ["an unknown option", ["list", "--limits", "1"], 2, /unknown option '--limits'\n\(Did you mean --limit\?\)/],
    ["a missing option", ["backup", "-s", "/a"], 2, /required option '-d, --destination <file>' not specified/],
    [
      "a count that is none",
      ["list", "--limit", "many"],
      2,
      /wimguard: invalid --limit "many": use a whole number, 0 or more/,
    ],
    ["a timeout that is none", ["health", "--timeout", "1"], 2, /wimguard: invalid duration "1"/],
    ["a port that is none", ["server", "--port", "65536"], 2, /wimguard: invalid --port "65536"/],
    [
      "a role that is none",
      ["config", "token", "--role", "root"],
      2,
      /invalid --role "root": use reader, operator, admin/,
    ],
    [
      "a conflict that is none",
      ["restore", "x", "-t", "/x", "--conflict", "merge"],
      2,
      /use fail, skip, if-changed, overwrite/,
    ],
    ["a percentage that is none", ["check", "--data", "101%"], 2, /invalid --data "101%"/],
    ["a token for more than a day", ["config", "token", "--ttl", "25h"], 2, /use 1s to 24h/],
    [
      "a daemon that is not there",
      ["health", "--server", "127.0.0.1:1"],
      5,
      /wimguard: cannot reach a daemon at 127\.0\.0\.1:1: .+start one with "wimguard server"/,
    ],
    [
      "a folder that is missing",
      ["backup", "-s", "/etc/hostname", "-d", "/nowhere/a.tar"],
      10,
      /the folder \/nowhere does not exist/,
    ],
    [
      "a source that is missing",
      ["backup", "-s", "/nowhere", "-d", "/tmp/a.tar"],
      1,
      /the source \/nowhere does not exist/,
    ],
    ["an unknown backup", ["get", "c0ffee"], 1, /backup "c0ffee" not found/],
  ] as const) {
    it(`exits with ${code} for ${what}, and says why`, async () => {
      const ended = await wimguard(...args);
      assert.equal(ended.code, code, ended.err);
      assert.match(ended.err, text);
      assert.equal(ended.out, "");
    });
  }

  it("exits with 12 when its secret is not the daemon's", async (test) => {
    const other = await startInProcess(test);
    const { code, err } = await wimguard("list", "--server", daemon.address, "--dir", other.folders.data);
    assert.deepEqual([code, err], [12, "wimguard: the token is not valid\n"]);
  });

  it("exits with 6 when there is no response in time", async (test) => {
    const { createServer } = await import("node:net");
    // Reads, so that it sees the end of the connection.
    const mute = createServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    test.after(() => mute.close());
    const { port } = mute.address() as { port: number };
    const { code, err } = await wimguard("health", "--server", `127.0.0.1:${port}`, "--timeout", "500ms");
    assert.equal(code, 6);
    assert.match(err, /cannot reach a daemon at 127\.0\.0\.1:\d+: no response within 500 ms; start one/);
  });

  it("says that the config is missing where no daemon has run", async () => {
    const { code, err } = await wimguard("list", "--dir", at("nothing"));
    assert.equal(code, 2);
    assert.match(err, /no config at .+config\.yaml: run "wimguard server" once, or pass --dir/);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`cancels on ${signal}, waits until nothing is left, and exits with ${code}`, async (test) => {
      const { source } = daemon.folders;
      test.after(() => tar.release());
      tar.hold();
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
    const shown = await wimguard("config", "show");
    assert.match(shown.out, /appSecret: •••\n/);
    assert.ok(
      !JSON.stringify(await wimguard("config", "show", "--json")).includes(
        readFileSync(join(daemon.folders.data, "config.yaml"), "utf8").split("appSecret: ")[1]?.split("\n")[0] ?? "?",
      ),
    );
    assert.equal((await wimguard("config", "validate")).code, 0);
    assert.equal((await wimguard("config", "path")).out, `${join(daemon.folders.data, "config.yaml")}\n`);
    assert.match((await wimguard("config", "token", "--ttl", "5m")).out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});
