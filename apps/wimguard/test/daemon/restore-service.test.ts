import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { Conflict, type RestoreProgress } from "../../src/gen/wimguard/v1/restore_pb.ts";
import { type DaemonFolders, makeFolders, startDaemon, type TestDaemon } from "./daemon-process.ts";
import { fillSlowly } from "./slow-source.ts";

describe("RestoreService", () => {
  const cleanup: (() => unknown)[] = [];
  const context = { after: (work: () => unknown) => void cleanup.unshift(work) };
  let daemon: TestDaemon;
  let folders: DaemonFolders;
  let uuid: string;
  let archive: string;
  let targets: string;
  before(async () => {
    daemon = await startDaemon(context);
    folders = daemon.folders;
    mkdirSync(join(folders.source, "folder"));
    writeFileSync(join(folders.source, "folder", "file"), "content\n");
    chmodSync(join(folders.source, "folder", "file"), 0o640);
    linkSync(join(folders.source, "folder", "file"), join(folders.source, "second"));
    archive = join(folders.destinations, "a.tar.zst");
    ({ uuid } = await daemon.client.backupToEnd({ source: folders.source, destination: archive }));
  });
  after(async () => {
    for (const work of cleanup) await work();
  });
  beforeEach(() => {
    targets = join(folders.data, "targets");
    rmSync(targets, { recursive: true, force: true });
    mkdirSync(targets);
  });

  type Request = Parameters<TestDaemon["client"]["restore"]["createRestore"]>[0];
  const create = (request: Request = {}) =>
    daemon.client.restore.createRestore({ snapshotUuid: uuid, target: join(targets, "new"), ...request });
  const collect = async (request: Request = {}) => {
    const updates: RestoreProgress[] = [];
    for await (const update of create(request)) updates.push(update);
    return updates;
  };

  it("restores into a new folder, compares with the manifest, and keeps a record", async () => {
    const updates = await collect({ verify: true });
    assert.equal(updates[0]?.status, "started");
    const last = updates.at(-1);
    assert.deepEqual(
      [last?.status, last?.progress?.bytesDone, last?.progress?.bytesTotal, last?.verifiedFiles],
      ["completed", 8n, 8n, 1n],
    );
    assert.equal(readFileSync(join(targets, "new/folder/file"), "utf8"), "content\n");
    assert.equal(statSync(join(targets, "new/second")).ino, statSync(join(targets, "new/folder/file")).ino);
    assert.deepEqual(readdirSync(targets), ["new"]);
    const restore = await daemon.client.restore.getRestore({ uuid: last?.uuid ?? "" });
    assert.deepEqual(
      [restore.snapshotUuid, restore.target, restore.run?.state, restore.verifiedFiles],
      [uuid, join(targets, "new"), RunState.COMPLETED, 1n],
    );
  });

  it("restores into an empty folder", async () => {
    mkdirSync(join(targets, "new"));
    assert.equal((await collect()).at(-1)?.status, "completed");
    assert.deepEqual(readdirSync(join(targets, "new")), ["folder", "second"]);
  });

  it("restores paths, however they are written", async () => {
    await collect({ paths: [Buffer.from("./folder/")] });
    assert.deepEqual(readdirSync(join(targets, "new")), ["folder"]);
  });

  it("plans without changing anything", async () => {
    const plan = await daemon.client.restore.planRestore({ snapshotUuid: uuid, target: join(targets, "new") });
    assert.deepEqual([plan.create, plan.bytes], [4n, 8n]);
    assert.ok(plan.freeBytes > 0n);
    assert.deepEqual(readdirSync(targets), []);
  });

  for (const [what, request, code, reason] of [
    ["an empty uuid", { snapshotUuid: "" }, Code.InvalidArgument, "FIELD_REQUIRED"],
    ["an unknown uuid", { snapshotUuid: "c0ffee" }, Code.NotFound, "BACKUP_NOT_FOUND"],
    ["an empty target", { target: "" }, Code.InvalidArgument, "FIELD_REQUIRED"],
    ["a relative target", { target: "new" }, Code.InvalidArgument, "PATH_INVALID"],
    [
      "a target whose folder is missing",
      { target: "/nowhere/at/all" },
      Code.FailedPrecondition,
      "TARGET_FOLDER_MISSING",
    ],
    ["a path that leads out", { paths: [Buffer.from("a/../../b")] }, Code.InvalidArgument, "PATH_INVALID"],
    ["a path that is not in the backup", { paths: [Buffer.from("none")] }, Code.NotFound, "PATH_NOT_IN_ARCHIVE"],
    ["a conflict that is not supported", { conflict: Conflict.OVERWRITE }, Code.Unimplemented, "NOT_SUPPORTED"],
    ["delete_extra", { deleteExtra: true }, Code.Unimplemented, "NOT_SUPPORTED"],
  ] as const) {
    it(`refuses ${what} before anything is streamed or written`, async () => {
      const updates = create(request as Request)[Symbol.asyncIterator]();
      await assertStatus(async () => updates.next(), code, { reason });
      assert.deepEqual(readdirSync(targets), []);
    });
  }

  it("does not touch a target that is not empty, or not a folder", async () => {
    const target = join(targets, "new");
    mkdirSync(target);
    writeFileSync(join(target, "mine"), "");
    await assertStatus(create(), Code.FailedPrecondition, {
      reason: "TARGET_NOT_EMPTY",
      message: /is not empty: restore into a new folder/,
    });
    assert.deepEqual(readdirSync(target), ["mine"]);
    rmSync(target, { recursive: true });
    writeFileSync(target, "mine");
    await assertStatus(create(), Code.FailedPrecondition, { reason: "TARGET_NOT_EMPTY", message: /is not a folder/ });
    assert.equal(readFileSync(target, "utf8"), "mine");
  });

  it("reports an archive that is damaged, replaced or gone, and leaves nothing", async () => {
    const destination = join(folders.destinations, "b.tar.zst");
    const own = await daemon.client.backupToEnd({ source: folders.source, destination });
    const whole = readFileSync(destination);
    const request = { snapshotUuid: own.uuid };
    const damaged = Buffer.from(whole);
    damaged[40] = (damaged[40] as number) ^ 1;
    writeFileSync(destination, damaged);
    await assertStatus(create(request), Code.DataLoss, {
      reason: "ARCHIVE_DAMAGED",
      message: /it was changed or replaced/,
    });
    // The same size, time and inode: only reading finds it.
    execFileSync("touch", ["-r", archive, destination]);
    writeFileSync(destination, whole);
    assert.equal((await collect(request)).at(-1)?.status, "completed");
    rmSync(join(targets, "new"), { recursive: true });
    rmSync(destination);
    await assertStatus(create(request), Code.NotFound, {
      reason: "ARCHIVE_GONE",
      message: /bring it back, or mount the disk/,
    });
    assert.deepEqual(readdirSync(targets), []);
    assert.equal((await daemon.client.backup.getBackup({ uuid: own.uuid })).backup?.status, "completed");
  });

  it("cancels with its call and removes what it has written; the backup is not deleted meanwhile", async (test) => {
    const { source, destinations } = makeFolders(test);
    const slow = await backUpHole(daemon, source, join(destinations, "slow.tar.zst"));
    const controller = new AbortController();
    const updates = daemon.client.restore
      .createRestore({ snapshotUuid: slow, target: join(targets, "new") }, { signal: controller.signal })
      [Symbol.asyncIterator]();
    const restoreUuid = (await updates.next()).value?.uuid ?? "";
    for (let next = await updates.next(); next.value?.progress?.phase !== "reading"; next = await updates.next());
    assert.deepEqual(readdirSync(targets), [`.wimguard-${restoreUuid}.restore`]);
    await assertStatus(daemon.client.backup.deleteBackup({ uuid: slow }), Code.FailedPrecondition, {
      reason: "BACKUP_IN_USE",
    });
    controller.abort();
    for (;;) {
      const { run } = await daemon.client.restore.getRestore({ uuid: restoreUuid });
      if (run?.state === RunState.CANCELLED) break;
      assert.equal(run?.state, RunState.RUNNING);
      await new Promise((wake) => setTimeout(wake, 20));
    }
    assert.deepEqual(readdirSync(targets), []);
  });

  it("lists restores newest first, page by page", async () => {
    const made = [];
    for (const name of ["one", "two", "three"])
      made.unshift((await collect({ target: join(targets, name) })).at(-1)?.uuid);
    const first = await daemon.client.restore.listRestores({ pageSize: 2 });
    assert.deepEqual(
      first.restores.map((one) => one.uuid),
      made.slice(0, 2),
    );
    const second = await daemon.client.restore.listRestores({ pageSize: 2, pageToken: first.nextPageToken });
    assert.equal(second.restores[0]?.uuid, made[2]);
    assert.ok(first.totalSize >= 3n);
    await assertStatus(daemon.client.restore.listRestores({ pageToken: "x" }), Code.InvalidArgument, {
      fields: ["page_token"],
    });
    await assertStatus(daemon.client.restore.listRestores({ pageSize: -1 }), Code.InvalidArgument, {
      fields: ["page_size"],
    });
    await assertStatus(daemon.client.restore.getRestore({ uuid: "c0ffee" }), Code.NotFound, {
      reason: "RESTORE_NOT_FOUND",
    });
  });
});

/** A backup of a hole of two gigabytes: restoring it takes seconds, and no room. */
async function backUpHole(daemon: TestDaemon, source: string, destination: string): Promise<string> {
  fillSlowly(source, 2 * 2 ** 30);
  const { uuid } = await daemon.client.backupToEnd({ source, destination });
  assert.ok(existsSync(destination));
  return uuid;
}
