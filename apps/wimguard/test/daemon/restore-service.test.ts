import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { enumName } from "../../src/command/enum-name.ts";
import { type FileChunk, RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { Conflict, ConflictSchema, type RestoreProgress } from "../../src/gen/wimguard/v1/restore_pb.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import { type DaemonFolders, makeFolders } from "./daemon-process.ts";
import { type HeldTar, makeHeldTar, useHeldTar } from "./held-tar.ts";
import { untilEnded } from "./running-backup.ts";

describe("RestoreService", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let tar: HeldTar;
  let folders: DaemonFolders;
  let uuid: string;
  let archive: string;
  let targets: string;
  before(async () => {
    folders = makeFolders(context);
    tar = makeHeldTar(context, folders.data);
    useHeldTar(context, tar);
    daemon = await startInProcess(context, { folders });
    mkdirSync(join(folders.source, "folder"));
    writeFileSync(join(folders.source, "folder", "file"), "content\n");
    chmodSync(join(folders.source, "folder", "file"), 0o640);
    linkSync(join(folders.source, "folder", "file"), join(folders.source, "second"));
    archive = join(folders.destinations, "a.tar.zst");
    ({ uuid } = await daemon.client.backupToEnd({ source: folders.source, destination: archive }));
  });
  after(() => context.clean());
  beforeEach(() => {
    targets = join(folders.data, "targets");
    rmSync(targets, { recursive: true, force: true });
    mkdirSync(targets);
  });

  type Request = Parameters<DaemonInProcess["client"]["restore"]["createRestore"]>[0];
  const create = (request: Request = {}) =>
    daemon.client.restore.createRestore({ snapshotUuid: uuid, target: join(targets, "new"), ...request });
  const collect = async (request: Request = {}) => {
    const updates: RestoreProgress[] = [];
    for await (const update of create(request)) updates.push(update);
    return updates;
  };

  /** All chunks of a file together. */
  const download = async (path: string, offset = 0) => {
    const request = { snapshotUuid: uuid, path: Buffer.from(path), offset: BigInt(offset) };
    const chunks: FileChunk[] = [];
    for await (const chunk of daemon.client.restore.downloadFile(request)) chunks.push(chunk);
    assert.ok(chunks.slice(0, -1).every(({ sha256 }) => sha256.length === 0));
    return {
      name: chunks[0]?.name,
      offset: chunks[0]?.offset,
      text: Buffer.concat(chunks.map(({ data }) => data)).toString(),
      sha256: Buffer.from(chunks.at(-1)?.sha256 ?? []),
    };
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
    ["an unknown conflict", { conflict: 9 as Conflict }, Code.InvalidArgument, "FIELD_INVALID"],
    ["delete_extra for a new folder", { deleteExtra: true }, Code.InvalidArgument, "FIELD_INVALID"],
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
      message: /is not empty: restore into a new folder, or say what to do/,
    });
    assert.deepEqual(readdirSync(target), ["mine"]);
    rmSync(target, { recursive: true });
    writeFileSync(target, "mine");
    await assertStatus(create(), Code.FailedPrecondition, { reason: "TARGET_NOT_EMPTY", message: /is not a folder/ });
    assert.equal(readFileSync(target, "utf8"), "mine");
  });

  describe("into a folder with something in it", () => {
    /** A target that has an older `folder/file`, something of its own, and a folder where the backup has a file. */
    const fillTarget = (): string => {
      const target = join(targets, "new");
      mkdirSync(join(target, "folder", "mine"), { recursive: true });
      writeFileSync(join(target, "folder", "file"), "older\n", { mode: 0o600 });
      writeFileSync(join(target, "own"), "");
      return target;
    };
    const walk = (target: string): string[] => (readdirSync(target, { recursive: true }) as string[]).sort();

    for (const [conflict, content] of [
      [Conflict.SKIP, "older\n"],
      [Conflict.IF_CHANGED, "content\n"],
      [Conflict.OVERWRITE, "content\n"],
    ] as const) {
      it(`plans and does the same with ${enumName(ConflictSchema, conflict)}`, async () => {
        const target = fillTarget();
        const request = { snapshotUuid: uuid, target, conflict };
        const plan = await daemon.client.restore.planRestore(request);
        const replaced = conflict === Conflict.SKIP ? 0n : 1n;
        assert.deepEqual([plan.create, plan.overwrite, plan.delete, plan.unchanged], [1n, replaced, 0n, 3n - replaced]);
        assert.equal((await collect({ ...request, verify: true })).at(-1)?.status, "completed");
        assert.deepEqual(walk(target), ["folder", "folder/file", "folder/mine", "own", "second"]);
        assert.equal(readFileSync(join(target, "folder/file"), "utf8"), content);
        assert.equal(readFileSync(join(target, "second"), "utf8"), "content\n");
        const isNew = conflict !== Conflict.SKIP;
        const { mode, ino } = statSync(join(target, "folder/file"));
        assert.equal(mode & 0o777, isNew ? 0o640 : 0o600);
        assert.equal(ino === statSync(join(target, "second")).ino, isNew);

        const again = await daemon.client.restore.planRestore({ ...request, conflict: Conflict.IF_CHANGED });
        assert.equal(again.overwrite, 1n - replaced);
      });
    }

    it("removes what the backup does not have, inside what is restored only", async () => {
      const target = fillTarget();
      const only = { target, conflict: Conflict.OVERWRITE, deleteExtra: true, paths: [Buffer.from("folder")] };
      const plan = await daemon.client.restore.planRestore({ snapshotUuid: uuid, ...only });
      assert.deepEqual([plan.create, plan.overwrite, plan.delete], [0n, 1n, 1n]);
      await collect(only);
      assert.deepEqual(walk(target), ["folder", "folder/file", "own"]);
      await collect({ target, conflict: Conflict.OVERWRITE, deleteExtra: true });
      assert.deepEqual(walk(target), ["folder", "folder/file", "second"]);
    });

    it("does not let a file take the place of a folder with something in it, and says so", async () => {
      const target = join(targets, "new");
      mkdirSync(join(target, "second", "full"), { recursive: true });
      const updates = await collect({ target, conflict: Conflict.OVERWRITE });
      assert.equal(updates.at(-1)?.message, "1 entry was not restored because of a folder in its place: second");
      assert.deepEqual(walk(target), ["folder", "folder/file", "second", "second/full"]);
    });

    it("follows no link that the target has", async () => {
      const outside = join(targets, "outside");
      mkdirSync(outside);
      const target = join(targets, "new");
      mkdirSync(target);
      symlinkSync(outside, join(target, "folder"));
      await collect({ target, conflict: Conflict.OVERWRITE });
      assert.deepEqual(readdirSync(outside), []);
      assert.deepEqual(walk(target), ["folder", "folder/file", "second"]);
      rmSync(target, { recursive: true });
      symlinkSync(outside, target);
      await assertStatus(create({ target, conflict: Conflict.OVERWRITE }), Code.FailedPrecondition, {
        reason: "TARGET_NOT_EMPTY",
        message: /is not a folder/,
      });
    });
  });

  it("downloads a file, from any offset, with its digest in the last chunk", async () => {
    const whole = await download("folder/file");
    assert.deepEqual([whole.name, whole.text], ["file", "content\n"]);
    assert.deepEqual(whole.sha256, createHash("sha256").update("content\n").digest());
    // A hard link has the content of its other name.
    const second = await download("second", 3);
    assert.deepEqual([second.name, second.text, second.offset], ["second", "tent\n", 3n]);
    assert.deepEqual(second.sha256, whole.sha256);
    const end = await download("second", 8);
    assert.deepEqual([end.text, end.sha256], ["", whole.sha256]);
  });

  for (const [what, request, code, reason] of [
    ["an unknown backup", { snapshotUuid: "c0ffee" }, Code.NotFound, "BACKUP_NOT_FOUND"],
    ["an empty uuid", { snapshotUuid: "" }, Code.InvalidArgument, "FIELD_REQUIRED"],
    ["a path that is not in the backup", { path: Buffer.from("none") }, Code.NotFound, "PATH_NOT_IN_ARCHIVE"],
    ["a path that leads out", { path: Buffer.from("../x") }, Code.InvalidArgument, "PATH_INVALID"],
    ["a folder", { path: Buffer.from("folder") }, Code.InvalidArgument, "FIELD_INVALID"],
    ["an offset after the end", { offset: 9n }, Code.InvalidArgument, "FIELD_INVALID"],
  ] as const) {
    it(`downloads nothing for ${what}`, async () => {
      const chunks = daemon.client.restore.downloadFile({
        snapshotUuid: uuid,
        path: Buffer.from("second"),
        ...request,
      });
      await assertStatus(async () => chunks[Symbol.asyncIterator]().next(), code, { reason });
    });
  }

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
      message: /move it back, or mount its disk/,
    });
    assert.deepEqual(readdirSync(targets), []);
    assert.equal((await daemon.client.backup.getBackup({ uuid: own.uuid })).backup?.status, "completed");
  });

  it("cancels with its call and removes what it has written; the backup is not deleted meanwhile", async (test) => {
    test.after(() => tar.release());
    tar.hold();
    const controller = new AbortController();
    const updates = daemon.client.restore
      .createRestore({ snapshotUuid: uuid, target: join(targets, "new") }, { signal: controller.signal })
      [Symbol.asyncIterator]();
    const restoreUuid = (await updates.next()).value?.uuid ?? "";
    for (let next = await updates.next(); next.value?.progress?.phase !== "reading"; next = await updates.next());
    assert.deepEqual(readdirSync(targets), [`.wimguard-${restoreUuid}.restore`]);
    await assertStatus(daemon.client.backup.deleteBackup({ uuid }), Code.FailedPrecondition, {
      reason: "BACKUP_IN_USE",
    });
    controller.abort();
    assert.equal(await untilEnded(daemon, restoreUuid), "cancelled");
    assert.equal((await daemon.client.restore.getRestore({ uuid: restoreUuid })).run?.state, RunState.CANCELLED);
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
