import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { readErrorReason } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import type { BackupProgress } from "../../src/gen/wimguard/v1/backup_pb.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import { makeFolders, startDaemon } from "./daemon-process.ts";
import { type HeldTar, makeHeldTar, useHeldTar } from "./held-tar.ts";
import { killChildOf } from "./kill-child.ts";
import { startBackup, untilEnded } from "./running-backup.ts";
import { withoutMounts } from "./without-mounts.ts";

const isRoot = process.geteuid?.() === 0;

describe("BackupService", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let tar: HeldTar;
  let source: string;
  let destinations: string;
  before(async () => {
    const folders = makeFolders(context);
    tar = makeHeldTar(context, folders.data);
    useHeldTar(context, tar);
    daemon = await startInProcess(context, { folders });
    ({ source, destinations } = folders);
    writeFileSync(join(source, "file"), "content\n");
  });
  after(() => context.clean());
  afterEach(() => {
    tar.release();
    for (const name of readdirSync(destinations)) rmSync(join(destinations, name), { recursive: true });
  });

  const create = (request: { source?: string; destination?: string; compression?: string; description?: string }) =>
    daemon.client.backup.createBackup({ source, destination: join(destinations, "a.tar.zst"), ...request });
  const collect = async (request: Parameters<typeof create>[0]) => {
    const updates: BackupProgress[] = [];
    try {
      for await (const update of create(request)) updates.push(update);
      return { updates, error: undefined };
    } catch (error) {
      return { updates, error: ConnectError.from(error) };
    }
  };
  const backUp = (name: string) => daemon.client.backupToEnd({ source, destination: join(destinations, name) });

  for (const [what, request, reason, field, message] of [
    ["an empty source", { source: "" }, "FIELD_REQUIRED", "source", /source is required/],
    ["an empty destination", { destination: "" }, "FIELD_REQUIRED", "destination", /destination is required/],
    ["a relative source", { source: "work" }, "PATH_INVALID", "source", /"work" is relative; pass an absolute path/],
    ["a destination with NUL", { destination: "/a\0b" }, "PATH_INVALID", "destination", /contains a NUL character/],
    ["a name that is too long", { source: `/${"a".repeat(256)}` }, "PATH_INVALID", "source", /longer than 255 bytes/],
    [
      "an unknown compression",
      { compression: "gzip" },
      "COMPRESSION_UNKNOWN",
      "compression",
      /use ZSTD, ZSTD:1 to ZSTD:19, or NONE/,
    ],
    [
      "a compression of the other engine",
      { compression: "LZX" },
      "COMPRESSION_UNKNOWN",
      "compression",
      /for the tar engine/,
    ],
    [
      "a description that is too long",
      { description: "x".repeat(4097) },
      "FIELD_INVALID",
      "description",
      /4096 characters/,
    ],
  ] as const) {
    it(`refuses ${what} before anything is streamed`, async () => {
      const { updates, error } = await collect(request);
      assert.deepEqual(updates, []);
      await assertStatus(Promise.reject(error), Code.InvalidArgument, { reason, fields: [field], message });
      assert.equal(readErrorReason(error)?.domain, "wimguard");
      assert.deepEqual(readdirSync(destinations), []);
    });
  }

  it("reports a source that does not exist as a failed backup, and then as NOT_FOUND", async () => {
    const missing = join(source, "missing");
    const { updates, error } = await collect({ source: missing });
    assert.deepEqual([updates[0]?.status, updates.at(-1)?.status], ["started", "failed"]);
    assert.equal(updates.at(-1)?.error, `the source ${missing} does not exist`);
    assert.ok(updates.slice(0, -1).every((update) => update.error === ""));
    await assertStatus(Promise.reject(error), Code.NotFound, { reason: "SOURCE_NOT_FOUND" });
    const { path, uuid } = Object.fromEntries(readErrorReason(error)?.metadata ?? []);
    assert.deepEqual([path, uuid], [missing, updates[0]?.uuid]);
    const { backup } = await daemon.client.backup.getBackup({ uuid: uuid ?? "" });
    assert.equal(backup?.status, "failed");
    assert.deepEqual(readdirSync(destinations), []);
  });

  it("takes a file by tar, and refuses it for .wim", async () => {
    const file = join(source, "file");
    assert.equal((await collect({ source: file })).updates.at(-1)?.status, "completed");
    rmSync(join(destinations, "a.tar.zst"));
    await assertStatus(create({ source: file, destination: join(destinations, "a.wim") }), Code.InvalidArgument, {
      reason: "SOURCE_NOT_FOLDER",
      fields: ["source"],
      message: /a \.wim file can only store folders: use \.tar\.zst/,
    });
    assert.deepEqual(readdirSync(destinations), []);
  });

  it("does not touch a destination that exists", async () => {
    const destination = join(destinations, "a.tar.zst");
    writeFileSync(destination, "mine");
    await assertStatus(create({}), Code.AlreadyExists, {
      reason: "DESTINATION_EXISTS",
      message: /already exists: choose another name/,
    });
    assert.equal(readFileSync(destination, "utf8"), "mine");
  });

  it("refuses a destination that is a folder, and one whose folder is missing, which it does not create", async () => {
    mkdirSync(join(destinations, "folder"));
    await assertStatus(create({ destination: join(destinations, "folder") }), Code.FailedPrecondition, {
      reason: "DESTINATION_IS_FOLDER",
      message: /folder is a folder: pass the path of the file to write/,
    });
    await assertStatus(create({ destination: join(destinations, "none", "a.tar") }), Code.FailedPrecondition, {
      reason: "DESTINATION_FOLDER_MISSING",
      message: /create it, or mount its disk/,
    });
    assert.deepEqual(readdirSync(destinations), ["folder"]);
  });

  it("refuses what another job is writing, by any name, and says which job", async (test) => {
    const { destinations: own } = makeFolders(test);
    tar.hold();
    const running = await startBackup(daemon.client, source, join(own, "a.tar.zst"));
    const other = `${own}-link`;
    symlinkSync(own, other);
    test.after(() => rmSync(other, { force: true }));
    const error = await assertStatus(create({ destination: join(other, "a.tar.zst") }), Code.AlreadyExists, {
      reason: "DESTINATION_BUSY",
      message: new RegExp(`^job ${running.uuid} is writing ${own}/a\\.tar\\.zst: wait for its end, or choose`),
    });
    assert.equal(readErrorReason(error)?.metadata.get("uuid"), running.uuid);
    running.cancel();
    assert.equal(await untilEnded(daemon, running.uuid), "cancelled");
    assert.deepEqual(readdirSync(own), []);
  });

  it("cancels a backup whose call is cancelled or has no time left, and leaves nothing", async (test) => {
    const { destinations: own } = makeFolders(test);
    tar.hold();
    const destination = join(own, "a.tar.zst");
    const cancelled = await startBackup(daemon.client, source, destination);
    assert.deepEqual(readdirSync(own), [`.wimguard-${cancelled.uuid}.part`]);
    cancelled.cancel();
    await assertStatus((async () => cancelled.updates.next())(), Code.Canceled);
    assert.equal(await untilEnded(daemon, cancelled.uuid), "cancelled");
    assert.deepEqual(readdirSync(own), []);

    let uuid = "";
    const late = async () => {
      for await (const update of daemon.client.backup.createBackup({ source, destination }, { timeoutMs: 500 }))
        uuid = update.uuid;
    };
    await assertStatus(late(), Code.DeadlineExceeded);
    assert.equal(await untilEnded(daemon, uuid), "cancelled");
    assert.deepEqual(readdirSync(own), []);
  });

  it("ends a backup that is waiting when it is cancelled", async (test) => {
    const { destinations: own } = makeFolders(test);
    tar.hold();
    const running = await Promise.all(
      ["a", "b"].map((name) => startBackup(daemon.client, source, join(own, `${name}.tar`))),
    );
    const controller = new AbortController();
    const updates = daemon.client.backup.createBackup(
      { source, destination: join(own, "c.tar") },
      { signal: controller.signal },
    );
    const waiting = updates[Symbol.asyncIterator]();
    const uuid = (await waiting.next()).value?.uuid ?? "";
    const { value } = await waiting.next();
    assert.deepEqual(
      [value?.status, value?.message, value?.bytesProcessed, value?.totalBytes],
      ["in_progress", "waiting", 0n, 0n],
    );
    controller.abort();
    assert.equal(await untilEnded(daemon, uuid), "cancelled");
    for (const one of running) one.cancel();
    for (const one of running) await untilEnded(daemon, one.uuid);
    assert.deepEqual(readdirSync(own), []);
  });

  it("answers other calls while it compresses and hashes", async (test) => {
    const { destinations: own, source: large } = makeFolders(test);
    // A hole of a terabyte: hashing it would take a quarter of an hour.
    writeFileSync(join(large, "hole"), "begin");
    truncateSync(join(large, "hole"), 2 ** 40);
    const running = await startBackup(daemon.client, large, join(own, "a.tar.zst"));
    const took = [];
    for (let at = 0; at < 50; at++) {
      const startedMs = performance.now();
      await daemon.client.backup.getBackup({ uuid: running.uuid });
      took.push(performance.now() - startedMs);
    }
    running.cancel();
    await untilEnded(daemon, running.uuid);
    took.sort((a, b) => a - b);
    // The middle one: others may wait for a processor that the tests share.
    assert.ok((took[25] as number) < 100, `a call took ${took[25]} ms`);
  });

  it("does not wait for a client that does not read", async () => {
    const destination = join(destinations, "unread.tar.zst");
    const updates = create({ destination })[Symbol.asyncIterator]();
    const uuid = (await updates.next()).value?.uuid ?? "";
    assert.equal(await untilEnded(daemon, uuid), "completed");
    let last: BackupProgress | undefined;
    for (let next = await updates.next(); next.done !== true; next = await updates.next()) last = next.value;
    assert.equal(last?.status, "completed");
  });

  it("reports an engine that is killed, and leaves nothing", async () => {
    tar.hold();
    const running = await startBackup(daemon.client, source, join(destinations, "a.tar"));
    // The progress comes before the program, which stays until it is killed.
    while (!killChildOf(process.pid, ["tar"])) await setImmediate();
    await assertStatus(
      (async () => {
        for (let next = await running.updates.next(); next.done !== true; next = await running.updates.next());
      })(),
      Code.Internal,
      { reason: "ENGINE_DIED", message: /tar was ended by SIGKILL/ },
    );
    assert.deepEqual(readdirSync(destinations), []);
  });

  it("lists newest first, twenty at a time, and counts all", async () => {
    const uuids = [];
    for (const name of ["one.tar", "two.tar", "three.tar"]) uuids.unshift((await backUp(name)).uuid);
    const { backups, total } = await daemon.client.backup.listBackups({});
    assert.deepEqual(
      backups.slice(0, 3).map(({ uuid }) => uuid),
      uuids,
    );
    assert.ok(total >= 3 && backups.length === Math.min(total, 20));
    const page = await daemon.client.backup.listBackups({ limit: 1, offset: 1 });
    assert.deepEqual([page.backups.map(({ uuid }) => uuid), page.total], [[uuids[1]], total]);
    assert.equal((await daemon.client.backup.listBackups({ limit: 2_000_000_000 })).backups.length, total);
    assert.deepEqual((await daemon.client.backup.listBackups({ offset: total })).backups, []);
    await assertStatus(daemon.client.backup.listBackups({ limit: -1 }), Code.InvalidArgument, { fields: ["limit"] });
    await assertStatus(daemon.client.backup.listBackups({ offset: -1 }), Code.InvalidArgument, { fields: ["offset"] });
  });

  it("refuses an empty uuid, and does not find an unknown one", async () => {
    const { backup } = daemon.client;
    for (const call of [backup.getBackup, backup.deleteBackup]) {
      await assertStatus(call({ uuid: "" }), Code.InvalidArgument, { reason: "FIELD_REQUIRED", fields: ["uuid"] });
      await assertStatus(call({ uuid: "c0ffee" }), Code.NotFound, {
        reason: "BACKUP_NOT_FOUND",
        message: 'backup "c0ffee" not found',
      });
    }
  });

  it("does not delete a backup that runs", async (test) => {
    const { destinations: own } = makeFolders(test);
    tar.hold();
    const running = await startBackup(daemon.client, source, join(own, "a.tar"));
    await assertStatus(daemon.client.backup.deleteBackup({ uuid: running.uuid }), Code.FailedPrecondition, {
      reason: "BACKUP_NOT_COMPLETED",
    });
    running.cancel();
    await untilEnded(daemon, running.uuid);
  });

  it("leaves a file alone that has replaced the archive, and deletes a backup whose archive is gone", async () => {
    const { uuid } = await backUp("a.tar");
    const destination = join(destinations, "a.tar");
    writeFileSync(destination, "replaced");
    await assertStatus(daemon.client.backup.deleteBackup({ uuid }), Code.FailedPrecondition, {
      reason: "ARCHIVE_REPLACED",
      message: /is not the archive that this backup wrote: move it away, then delete the backup/,
    });
    assert.equal(readFileSync(destination, "utf8"), "replaced");
    rmSync(destination);
    assert.deepEqual(await daemon.client.backup.deleteBackup({ uuid }).then(({ success }) => success), true);
    await assertStatus(daemon.client.backup.getBackup({ uuid }), Code.NotFound);
  });

  it("deletes nothing of a newer backup of the same name and content", async () => {
    const old = await backUp("a.tar");
    rmSync(join(destinations, "a.tar"));
    const newer = await backUp("a.tar");
    await daemon.client.backup.deleteBackup({ uuid: old.uuid });
    assert.ok(existsSync(join(destinations, "a.tar")));
    assert.equal((await daemon.client.backup.getBackup({ uuid: newer.uuid })).backup?.status, "completed");
  });
});

describe("BackupService elsewhere", () => {
  it("says what to install for an engine that is missing, and that tar works", async (test) => {
    const { destinations: tools } = makeFolders(test);
    for (const name of ["tar", "sync"]) symlinkSync(readlinkOrPath(name), join(tools, name));
    const daemon = await startDaemon(test, { env: { PATH: tools } });
    const { source, destinations } = daemon.folders;
    writeFileSync(join(source, "a"), "");
    const destination = join(destinations, "a.wim");
    await assertStatus(daemon.client.backup.createBackup({ source, destination }), Code.FailedPrecondition, {
      reason: "ENGINE_MISSING",
      message: /wimlib-imagex is not installed: install .*apt install wimtools.*\.tar\.zst file, which works now/,
    });
    await daemon.client.backupToEnd({ source, destination: join(destinations, "a.tar.zst") });
    assert.deepEqual(readdirSync(destinations), ["a.tar.zst"]);
  });

  it("keeps to the folders that may be backed up, by links too", async (test) => {
    const folders = makeFolders(test);
    const { source, destinations } = folders;
    const [allowed, outside] = [join(source, "allowed"), join(source, "outside")];
    for (const folder of [allowed, outside]) mkdirSync(folder);
    symlinkSync(outside, join(allowed, "way"));
    const { client } = await startInProcess(test, {
      folders,
      server: `    roots:\n      sources: [${JSON.stringify(allowed)}]\n`,
    });
    for (const path of [outside, join(allowed, "way"), join(allowed, "..", "outside")]) {
      await assertStatus(
        client.backup.createBackup({ source: path, destination: join(destinations, "a.tar") }),
        Code.PermissionDenied,
        {
          reason: "PATH_OUTSIDE_ROOTS",
          message: /is outside of the folders that may be backed up \(service\.server\.roots\.sources\): /,
        },
      );
    }
    assert.deepEqual(readdirSync(destinations), []);
    await client.backupToEnd({ source: allowed, destination: join(destinations, "a.tar") });
    assert.deepEqual(readdirSync(destinations), ["a.tar"]);
  });

  for (const name of ["a.tar.zst", "a.wim"]) {
    it(`completes without what cannot be read, and names it: ${name}`, {
      skip: !isRoot && "only root can become another user",
    }, async (test) => {
      const folders = makeFolders(test);
      const uid = 65_534;
      const { source, destinations, data } = folders;
      writeFileSync(join(source, "readable"), "");
      writeFileSync(join(source, "secret"), "", { mode: 0o600 });
      mkdirSync(join(source, "locked"), { mode: 0o700 });
      for (const folder of [join(data, ".."), source, data, destinations]) execFileSync("chown", [String(uid), folder]);
      const { client } = await startDaemon(test, { folders, uid });
      const { warnings } = await client.backupToEnd({ source, destination: join(destinations, name) });
      assert.equal(warnings, "2 entries could not be read: locked, secret");
    });
  }

  it("reports a full disk with what is free, and leaves nothing", { skip: withoutMounts() }, async (test) => {
    const folders = makeFolders(test);
    const { source, destinations } = folders;
    execFileSync("dd", ["if=/dev/urandom", `of=${join(source, "large")}`, "bs=1M", "count=20"], { stdio: "ignore" });
    const mount = 'mount -t tmpfs -o size=4m,mode=700 tmpfs "$0" && exec "$@"';
    const wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, destinations];
    const { client, pid } = await startDaemon(test, { folders, wrapper });
    for (const name of ["a.tar.zst", "a.wim"]) {
      const updates: BackupProgress[] = [];
      const error = await assertStatus(
        (async () => {
          for await (const update of client.backup.createBackup({ source, destination: join(destinations, name) }))
            updates.push(update);
        })(),
        Code.ResourceExhausted,
        {
          reason: "NO_SPACE",
          message:
            /no space left: \d+ bytes are free in \S+, and (?:\d+ bytes of the source were still|the archive of \d+ bytes did)/,
        },
      );
      assert.equal(updates.at(-1)?.status, "failed");
      assert.equal(updates.at(-1)?.error, error.rawMessage);
      assert.deepEqual(readdirSync(`/proc/${pid}/root${destinations}`), []);
    }
  });
});

function readlinkOrPath(program: string): string {
  return execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
}
