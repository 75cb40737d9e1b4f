// Long: restic derives a key from the password for each of a hundred commands, half a second each.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import type { WimGuard } from "../../src/client/connect.ts";
import { Engine, RunKind, RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { createSuiteContext } from "../daemon/cleanup.ts";
import { type DaemonInProcess, startInProcess } from "../daemon/daemon-in-process.ts";
import { makeFolders, startDaemon } from "../daemon/daemon-process.ts";
import { startBackup, untilEnded } from "../daemon/running-backup.ts";
import { startRestServer } from "./rest-server.ts";
import { childrenOf, isRunning, password, restic, snapshotsOf, withoutRestic, writeSecret } from "./restic-tools.ts";

/** Registers a repository under a name. */
async function register(wim: WimGuard, name: string, url: string, secretRef: string) {
  return wim.registry.createDestination({ destination: { name, url, secretRef } });
}

describe("a repository on this machine", { skip: withoutRestic }, () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let wim: WimGuard;
  let source: string;
  let repository: string;
  let first = "";
  let second = "";
  before(async () => {
    daemon = await startInProcess(context);
    wim = daemon.client;
    source = daemon.folders.source;
    repository = `restic:${join(daemon.folders.destinations, "repository")}`;
    mkdirSync(join(source, "folder [with] *special* $names"));
    writeFileSync(join(source, "folder [with] *special* $names", "left-out.log"), "x");
    writeFileSync(join(source, "folder [with] *special* $names", "kept"), "kept\n");
    writeFileSync(join(source, "file"), "content\n");
    writeFileSync(join(source, "large"), randomBytes(300_000));
    linkSync(join(source, "file"), join(source, "second-name"));
    symlinkSync("file", join(source, "link"));
    chmodSync(source, 0o750);
    utimesSync(source, 1_000_000_000, 1_000_000_000);
    await wim.registry.createSource({ source: { name: "work", path: source, excludes: ["*.log"] } });
    await register(wim, "safe", repository, writeSecret(daemon.folders.data));
  });
  after(() => context.clean());

  it("is made by the first backup, which shows its progress and leaves nothing else", async () => {
    const updates = await collect(
      wim.backup.createBackup({ source: "work", destination: "safe", compression: "max", description: "a, <b>" }),
    );
    const last = updates.at(-1);
    assert.deepEqual([updates[0]?.status, last?.status, last?.message], ["started", "completed", ""]);
    assert.equal(last?.bytesProcessed, 300_013n);
    first = last?.uuid ?? "";
    const snapshot = await wim.snapshot.getSnapshot({ uuid: first });
    assert.deepEqual([snapshot.engine, snapshot.files, snapshot.source], [Engine.RESTIC, 4n, source]);
    assert.match(snapshot.location, /^restic:\/.+\/repository, snapshot [0-9a-f]{8}$/);
    assert.ok(snapshot.storedBytes > 300_000n);
    assert.deepEqual(readdirSync(daemon.folders.destinations), ["repository"]);
    assert.deepEqual(snapshotsOf(repository).length, 1);
    assert.deepEqual(readdirSync(join(daemon.folders.data, "manifests")), [`${first}.jsonl.zst`]);
  });

  it("lists what it has: kinds, links, digests, and nothing that is left out", async () => {
    const { entries } = await wim.snapshot.listEntries({ snapshotUuid: first, recursive: true });
    const byPath = new Map(entries.map((entry) => [entry.displayPath, entry]));
    assert.deepEqual([...byPath.keys()].sort(), [
      "file",
      "folder [with] *special* $names",
      "folder [with] *special* $names/kept",
      "large",
      "link",
      "second-name",
    ]);
    assert.equal(Buffer.from(byPath.get("link")?.linkTarget ?? []).toString(), "file");
    assert.match(byPath.get("file")?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.equal(byPath.get("second-name")?.digest, byPath.get("file")?.digest);
  });

  it("is restored, whole and in part, and verified", async () => {
    const target = join(daemon.folders.data, "whole");
    const updates = await collect(wim.restore.createRestore({ snapshotUuid: first, target, verify: true }));
    assert.deepEqual([updates.at(-1)?.status, updates.at(-1)?.verifiedFiles], ["completed", 3n]);
    assert.equal(readFileSync(join(target, "second-name"), "utf8"), "content\n");
    assert.equal(statSync(join(target, "file")).ino, statSync(join(target, "second-name")).ino);
    assert.deepEqual([statSync(target).mode & 0o777, statSync(target).mtimeMs], [0o750, 1_000_000_000_000]);

    const part = join(daemon.folders.data, "part");
    const paths = ["folder [with] *special* $names", "second-name"].map((path) => Buffer.from(path));
    await collect(wim.restore.createRestore({ snapshotUuid: first, target: part, paths, verify: true }));
    assert.deepEqual(readdirSync(part).sort(), ["folder [with] *special* $names", "second-name"]);

    writeFileSync(join(part, "own"), "stays");
    writeFileSync(join(part, "second-name"), "changed");
    await collect(wim.restore.createRestore({ snapshotUuid: first, target: part, conflict: 4 }));
    assert.equal(readFileSync(join(part, "second-name"), "utf8"), "content\n");
    assert.equal(readFileSync(join(part, "own"), "utf8"), "stays");
    assert.deepEqual(
      readdirSync(daemon.folders.data).filter((name) => name.startsWith(".wimguard")),
      [],
    );
    await assertStatus(
      collect(wim.restore.createRestore({ snapshotUuid: first, target: `${part}2`, paths: [Buffer.from("none")] })),
      Code.NotFound,
      { reason: "PATH_NOT_IN_ARCHIVE" },
    );
  });

  it("sends a file, from its beginning or later", async () => {
    const path = Buffer.from("folder [with] *special* $names/kept");
    const chunks = await collect(wim.restore.downloadFile({ snapshotUuid: first, path }));
    assert.equal(Buffer.concat(chunks.map(({ data }) => data)).toString(), "kept\n");
    const rest = await collect(wim.restore.downloadFile({ snapshotUuid: first, path, offset: 2n }));
    assert.equal(Buffer.concat(rest.map(({ data }) => data)).toString(), "pt\n");
  });

  it("takes only what is new the next time, and reads nothing twice for its digests", async () => {
    writeFileSync(join(source, "added"), "new\n");
    ({ uuid: second } = await wim.backupToEnd({ source: "work", destination: "safe", compression: "max" }));
    const { storedBytes, sourceBytes } = await wim.snapshot.getSnapshot({ uuid: second });
    assert.ok(storedBytes < 20_000n && sourceBytes === 300_017n, `${storedBytes} of ${sourceBytes}`);
    const differences = await collect(wim.snapshot.diffSnapshots({ baseUuid: first, otherUuid: second }));
    assert.ok(differences.some(({ after: entry }) => entry?.displayPath === "added"));
    assert.ok(!differences.some(({ after: entry }) => entry?.displayPath === "large"));
  });

  it("is checked: its structure, a part of its data, all of a snapshot; and drilled", async () => {
    for (const [percent, files] of [
      [0, 0n],
      [50, 0n],
      [100, 4n],
    ] as const) {
      const runs = await collect(wim.snapshot.verifySnapshot({ snapshotUuid: second, percent }));
      assert.deepEqual([runs.at(-1)?.state, runs.at(-1)?.progress?.filesDone], [RunState.COMPLETED, files]);
    }
    const runs = await collect(wim.snapshot.drillSnapshot({ snapshotUuid: second }));
    assert.equal(runs.at(-1)?.state, RunState.COMPLETED);
    assert.ok((await wim.snapshot.getSnapshot({ uuid: second })).drillTime !== undefined);
  });

  it("is tested step by step, and keeps nothing of the test", async () => {
    const { destinations } = await wim.registry.listDestinations({ filter: "name = safe" });
    const before = snapshotsOf(repository);
    const { steps } = await wim.registry.testDestination({ uuid: destinations[0]?.uuid ?? "" });
    assert.deepEqual(
      steps.map(({ name, ok, message }) => [name, ok, message]),
      ["write", "read", "list", "remove"].map((name) => [name, true, ""]),
    );
    assert.deepEqual(snapshotsOf(repository), before);
  });

  it("makes a lost catalogue again, with snapshots of other programs", async (test) => {
    restic(repository, "backup", "--quiet", join(source, "file"));
    const other = await startInProcess(test);
    await register(other.client, "found", repository, writeSecret(other.folders.data));
    const runs = await collect(other.client.registry.importArchive({ location: repository }));
    assert.deepEqual([runs.at(-1)?.kind, runs.at(-1)?.state], [RunKind.IMPORT, RunState.COMPLETED]);
    const { snapshots } = await other.client.snapshot.listSnapshots({ orderBy: "create_time" });
    assert.deepEqual(snapshots.map(({ uuid }) => uuid).slice(0, 2), [first, second]);
    const [mine, , foreign] = snapshots;
    const before = await wim.snapshot.getSnapshot({ uuid: first });
    for (const field of ["source", "location", "description", "files", "createTime"] as const) {
      assert.deepEqual(mine?.[field], before[field], field);
    }
    assert.equal(foreign?.source, join(source, "file"));
    for (const [snapshot, names] of [
      [mine, ["file", "folder [with] *special* $names", "large", "link", "second-name"]],
      [foreign, ["file"]],
    ] as const) {
      const target = join(other.folders.data, snapshot?.uuid ?? "");
      await collect(other.client.restore.createRestore({ snapshotUuid: snapshot?.uuid ?? "", target, verify: true }));
      assert.deepEqual(readdirSync(target).sort(), names);
    }
    await assertStatus(collect(other.client.registry.importArchive({ location: repository })), Code.AlreadyExists, {
      reason: "ARCHIVE_KNOWN",
    });
    restic(repository, "forget", snapshotsOf(repository).at(-1) ?? "");
  });

  it("is not made again when its disk is away, and nothing of the record is lost", async () => {
    const folder = repository.slice("restic:".length);
    renameSync(folder, `${folder}.away`);
    mkdirSync(folder);
    await assertStatus(
      collect(wim.backup.createBackup({ source: "work", destination: "safe" })),
      Code.FailedPrecondition,
      { reason: "REPOSITORY_MISSING", message: /mount its disk/ },
    );
    await assertStatus(
      collect(wim.restore.createRestore({ snapshotUuid: first, target: join(daemon.folders.data, "x") })),
      Code.NotFound,
      { reason: "ARCHIVE_GONE" },
    );
    await assertStatus(wim.backup.deleteBackup({ uuid: first }), Code.FailedPrecondition, {
      reason: "DESTINATION_FOLDER_MISSING",
    });
    assert.deepEqual(readdirSync(folder), []);
    rmSync(folder, { recursive: true });
    renameSync(`${folder}.away`, folder);
  });

  it("loses a snapshot that is deleted, and its data by a prune", async () => {
    const packs = () => readdirSync(join(repository.slice("restic:".length), "data"), { recursive: true }).length;
    const before = packs();
    await wim.backup.deleteBackup({ uuid: first });
    await wim.backup.deleteBackup({ uuid: second });
    assert.deepEqual(snapshotsOf(repository), []);
    await assertStatus(wim.backup.getBackup({ uuid: first }), Code.NotFound);
    assert.deepEqual(readdirSync(join(daemon.folders.data, "manifests")), []);
    // Any run that ends lets the daemon look at what is due.
    writeFileSync(join(source, "again"), "x");
    await wim.backupToEnd({ source: join(source, "again"), destination: join(daemon.folders.destinations, "a.tar") });
    for await (const { run } of wim.schedule.watchRuns({})) {
      if (run?.kind !== RunKind.PRUNE || run.state < RunState.COMPLETED) continue;
      assert.equal(run.state, RunState.COMPLETED);
      break;
    }
    assert.ok(packs() < before);
    restic(repository, "check");
  });

  it("writes the password nowhere", () => {
    assert.ok(!daemon.log.text.includes(password));
    const database = readFileSync(join(daemon.folders.data, "wimbackup.db"));
    assert.ok(!database.includes(password));
  });
});

describe("a repository that cannot be used", { skip: withoutRestic }, () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let wim: WimGuard;
  before(async () => {
    daemon = await startInProcess(context);
    wim = daemon.client;
    writeFileSync(join(daemon.folders.source, "file"), "content\n");
  });
  after(() => context.clean());
  const at = (name: string): string => join(daemon.folders.destinations, name);
  const backUp = (destination: string, source = daemon.folders.source) =>
    collect(wim.backup.createBackup({ source, destination }));

  it("without a password is refused at once, and so is a password that others can read", async () => {
    await assertStatus(backUp(`restic:${at("none")}`), Code.FailedPrecondition, {
      reason: "SECRET_UNUSABLE",
      message: /registry add-destination --secret/,
    });
    const secret = writeSecret(daemon.folders.data);
    chmodSync(secret.slice("file:".length), 0o640);
    await register(wim, "open", `restic:${at("open")}`, secret);
    await assertStatus(backUp("open"), Code.FailedPrecondition, { reason: "SECRET_UNUSABLE", message: /chmod 600/ });
    chmodSync(secret.slice("file:".length), 0o600);
    await register(wim, "unset", `restic:${at("unset")}`, "env:TERCEL_NO_SUCH_VARIABLE");
    await assertStatus(backUp("unset"), Code.FailedPrecondition, {
      reason: "SECRET_UNUSABLE",
      message: /TERCEL_NO_SUCH_VARIABLE is not set/,
    });
    assert.deepEqual([readdirSync(daemon.folders.destinations), (await wim.backup.listBackups({})).total], [[], 0]);
  });

  it("with a wrong password fails, says so, and waits for nothing", async () => {
    const wrong = join(daemon.folders.data, "wrong");
    mkdirSync(wrong);
    restic(`restic:${at("wrong")}`, "init");
    await register(wim, "wrong", `restic:${at("wrong")}`, writeSecret(wrong, "another password"));
    await assertStatus(backUp("wrong"), Code.FailedPrecondition, { reason: "SECRET_WRONG" });
    const { backups } = await wim.backup.listBackups({});
    assert.equal(backups[0]?.status, "failed");
    assert.deepEqual(snapshotsOf(`restic:${at("wrong")}`), []);
  });

  it("in a folder that is missing, or that has other files, is refused untouched", async () => {
    await assertStatus(backUp(`restic:${at("missing/repository")}`), Code.FailedPrecondition, {
      reason: "DESTINATION_FOLDER_MISSING",
    });
    mkdirSync(at("used"));
    writeFileSync(join(at("used"), "own"), "x");
    await assertStatus(backUp(`restic:${at("used")}`), Code.FailedPrecondition, { reason: "DESTINATION_IS_FOLDER" });
    assert.deepEqual(readdirSync(at("used")), ["own"]);
    await assertStatus(backUp("restic:relative"), Code.InvalidArgument, { reason: "PATH_INVALID" });
    await assertStatus(backUp("restic:"), Code.InvalidArgument, { reason: "FIELD_REQUIRED" });
  });

  it("inside of its source leaves itself out", async () => {
    const inside = join(daemon.folders.source, "repository");
    await register(wim, "inside", `restic:${inside}`, writeSecret(daemon.folders.data));
    await wim.backupToEnd({ source: daemon.folders.source, destination: "inside" });
    const { uuid } = await wim.backupToEnd({ source: daemon.folders.source, destination: "inside" });
    const { entries } = await wim.snapshot.listEntries({ snapshotUuid: uuid, recursive: true });
    assert.deepEqual(
      entries.map(({ displayPath }) => displayPath),
      ["file"],
    );
  });

  it("that is damaged is reported as such", async () => {
    const folder = at("damaged");
    await register(wim, "damaged", `restic:${folder}`, writeSecret(daemon.folders.data));
    writeFileSync(join(daemon.folders.source, "large"), randomBytes(500_000));
    const { uuid } = await wim.backupToEnd({ source: daemon.folders.source, destination: "damaged" });
    const packs = readdirSync(join(folder, "data"), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    for (const pack of packs) {
      const path = join(pack.parentPath, pack.name);
      const bytes = readFileSync(path);
      if (bytes.length < 400_000) continue;
      bytes[1000] = (bytes[1000] ?? 0) ^ 1;
      chmodSync(path, 0o600);
      writeFileSync(path, bytes);
    }
    for (const work of [
      () => collect(wim.snapshot.verifySnapshot({ snapshotUuid: uuid, percent: 100 })),
      () => collect(wim.restore.createRestore({ snapshotUuid: uuid, target: join(daemon.folders.data, "target") })),
    ]) {
      await assertStatus(work(), Code.DataLoss, { reason: "ARCHIVE_DAMAGED" });
    }
    assert.ok(!existsSync(join(daemon.folders.data, "target")));
  });
});

describe("a repository on another machine", { skip: withoutRestic }, () => {
  async function startRemote(test: TestContext) {
    const remote = await startRestServer(test);
    const daemon = await startInProcess(test);
    writeFileSync(join(daemon.folders.source, "file"), randomBytes(100_000));
    await register(daemon.client, "remote", remote.destination, writeSecret(daemon.folders.data));
    return { remote, daemon, wim: daemon.client, source: daemon.folders.source };
  }

  it("takes backups and gives them back", async (test) => {
    const { wim, remote, daemon, source } = await startRemote(test);
    const { uuid } = await wim.backupToEnd({ source, destination: "remote" });
    const target = join(daemon.folders.data, "target");
    await collect(wim.restore.createRestore({ snapshotUuid: uuid, target, verify: true }));
    assert.ok(readFileSync(join(target, "file")).equals(readFileSync(join(source, "file"))));
    await wim.backup.deleteBackup({ uuid });
    assert.deepEqual(remote.names("snapshots"), []);
  });

  it("has nothing of a backup that is cancelled while it is sent", async (test) => {
    const { wim, remote, daemon, source } = await startRemote(test);
    const come = remote.hold("data");
    const backup = await startBackup(wim, source, "remote");
    await come;
    backup.cancel();
    assert.equal(await untilEnded(daemon, backup.uuid), "cancelled");
    remote.release();
    assert.deepEqual([remote.names("snapshots"), remote.names("locks")], [[], []]);
    assert.deepEqual(childrenOf(process.pid, "restic"), []);
    assert.deepEqual(readdirSync(join(daemon.folders.data, "manifests")), []);
  });

  it("fails a backup whose restic is killed, and removes the lock that it leaves when it is in the way", async (test) => {
    const { wim, remote, daemon, source } = await startRemote(test);
    const { uuid } = await wim.backupToEnd({ source, destination: "remote" });
    writeFileSync(join(source, "file"), randomBytes(100_000));
    const come = remote.hold("data");
    const backup = await startBackup(wim, source, "remote");
    await come;
    for (const pid of childrenOf(process.pid, "restic")) process.kill(pid, "SIGKILL");
    assert.equal(await untilEnded(daemon, backup.uuid), "failed");
    remote.release();
    await assertStatus(
      (async () => {
        while ((await backup.updates.next()).done !== true);
      })(),
      Code.Internal,
      { reason: "ENGINE_DIED", message: /restic was ended by SIGKILL/ },
    );
    assert.deepEqual([remote.names("snapshots").length, remote.names("locks").length], [1, 1]);
    await wim.backup.deleteBackup({ uuid });
    assert.deepEqual([remote.names("snapshots"), remote.names("locks")], [[], []]);
  });

  it("has nothing of a backup whose daemon was killed, after the next start", async (test) => {
    const remote = await startRestServer(test);
    const folders = makeFolders(test);
    writeFileSync(join(folders.source, "file"), randomBytes(100_000));
    const killed = await startDaemon(test, { folders });
    await register(killed.client, "remote", remote.destination, writeSecret(folders.data));
    // The snapshot is the last thing that is stored: with it, restic has ended.
    const come = remote.hold("snapshots");
    const { uuid } = await startBackup(killed.client, folders.source, "remote");
    await come;
    const programs = childrenOf(killed.pid, "restic");
    killed.signal("SIGKILL");
    await killed.ended;
    // restic does not end with the daemon that has started it: the next one ends it.
    const again = await startInProcess(test, { folders });
    assert.deepEqual([programs.length, programs.filter(isRunning)], [1, []]);
    remote.release();
    const { backup } = await again.client.backup.getBackup({ uuid });
    assert.equal(backup?.status, "failed");
    assert.deepEqual(remote.names("snapshots"), []);
    assert.deepEqual(readdirSync(join(folders.data, "manifests")), []);
  });

  it("that does not respond says so", async (test) => {
    await startRestServer(test);
    const daemon = await startInProcess(test);
    await register(daemon.client, "down", "restic:rest:http://127.0.0.1:9/", writeSecret(daemon.folders.data));
    await assertStatus(
      collect(daemon.client.backup.createBackup({ source: daemon.folders.source, destination: "down" })),
      Code.Unavailable,
      { reason: "REPOSITORY_UNREACHABLE" },
    );
  });
});

describe("a machine without restic", () => {
  it("says what to install and what works now", async (test) => {
    const folders = makeFolders(test);
    const programs = join(folders.data, "programs");
    mkdirSync(programs);
    symlinkSync("/usr/bin/tar", join(programs, "tar"));
    const { client } = await startDaemon(test, { folders, env: { PATH: programs, RESTIC_PASSWORD: password } });
    await assertStatus(
      collect(client.backup.createBackup({ source: folders.source, destination: `restic:${folders.destinations}/r` })),
      Code.FailedPrecondition,
      { reason: "ENGINE_MISSING", message: /apt install restic\), or back up to a \.tar\.zst file, which works now/ },
    );
  });
});
