import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { enumName } from "../../src/command/enum-name.ts";
import { Engine, type Run, RunKind, RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { type Difference, Difference_ChangeSchema, Entry_Kind } from "../../src/gen/wimguard/v1/snapshot_pb.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";

describe("SnapshotService", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  /** Of the first state of the source, and of the second one. */
  let [first, second] = ["", ""];
  before(async () => {
    daemon = await startInProcess(context);
    const { source, destinations } = daemon.folders;
    mkdirSync(join(source, "folder"));
    writeFileSync(join(source, "folder", "file"), "content\n", { mode: 0o640 });
    linkSync(join(source, "folder", "file"), join(source, "second"));
    symlinkSync("second", join(source, "link"));
    writeFileSync(join(source, "changed"), "one");
    writeFileSync(join(source, "removed"), "gone");
    writeFileSync(join(source, "touched"), "same");
    const backUp = async (name: string): Promise<string> =>
      (await daemon.client.backupToEnd({ source, destination: join(destinations, name) })).uuid;
    first = await backUp("first.tar.zst");
    writeFileSync(join(source, "changed"), "two");
    rmSync(join(source, "removed"));
    utimesSync(join(source, "touched"), 1, 1);
    writeFileSync(join(source, "added"), "");
    second = await backUp("second.tar");
  });
  after(() => context.clean());

  const snapshotClient = () => daemon.client.snapshot;

  it("has one snapshot for each completed backup, under its uuid", async () => {
    const snapshot = await snapshotClient().getSnapshot({ uuid: first });
    const { source, destinations } = daemon.folders;
    assert.deepEqual(
      [snapshot.uuid, snapshot.backupUuid, snapshot.engine, snapshot.source, snapshot.location],
      [first, first, Engine.TAR, source, join(destinations, "first.tar.zst")],
    );
    assert.deepEqual(
      [snapshot.sourceBytes, snapshot.storedBytes, snapshot.files],
      [19n, BigInt(statSync(snapshot.location).size), 4n],
    );
    const failed = daemon.client.backup.createBackup({
      source: join(source, "none"),
      destination: join(destinations, "x"),
    });
    let uuid = "";
    await assertStatus(async () => {
      for await (const update of failed) uuid = update.uuid;
    }, Code.NotFound);
    await assertStatus(snapshotClient().getSnapshot({ uuid }), Code.NotFound, { reason: "SNAPSHOT_NOT_FOUND" });
    await assertStatus(snapshotClient().getSnapshot({ uuid: "" }), Code.InvalidArgument, { reason: "FIELD_REQUIRED" });
  });

  it("lists newest first, by filter and order, page by page", async () => {
    const uuids = async (request: Parameters<ReturnType<typeof snapshotClient>["listSnapshots"]>[0]) =>
      (await snapshotClient().listSnapshots(request)).snapshots.map(({ uuid }) => uuid);
    assert.deepEqual(await uuids({}), [second, first]);
    assert.deepEqual(await uuids({ orderBy: "create_time" }), [first, second]);
    const { nextPageToken, totalSize } = await snapshotClient().listSnapshots({ pageSize: 1 });
    assert.equal(totalSize, 2n);
    assert.deepEqual(await uuids({ pageSize: 1, pageToken: nextPageToken }), [first]);
    assert.deepEqual(await uuids({ filter: `source = "${daemon.folders.source}" AND engine = ENGINE_TAR` }), [
      second,
      first,
    ]);
    assert.deepEqual(await uuids({ filter: "engine = ENGINE_WIM" }), []);
    assert.deepEqual(await uuids({ filter: 'create_time > "2100-01-01T00:00:00Z"' }), []);

    const tagged = { uuid: first, tags: { kind: "weekly" }, pinned: true };
    await snapshotClient().updateSnapshot({ snapshot: tagged, updateMask: { paths: ["tags", "pinned"] } });
    assert.deepEqual(await uuids({ filter: "tags.kind = weekly" }), [first]);
    assert.deepEqual(await uuids({ filter: "pinned = true AND tags.kind = daily" }), []);
    assert.deepEqual(await uuids({ filter: "pinned = true" }), [first]);
    await snapshotClient().updateSnapshot({ snapshot: { uuid: first }, updateMask: { paths: ["tags", "pinned"] } });

    for (const [request, field] of [
      [{ filter: "size > 1" }, "filter"],
      [{ filter: "tags.a-b = c" }, "filter"],
      [{ orderBy: "size" }, "order_by"],
      [{ pageSize: -1 }, "page_size"],
      [{ pageToken: nextPageToken, filter: "pinned = true" }, "page_token"],
    ] as const) {
      await assertStatus(snapshotClient().listSnapshots(request), Code.InvalidArgument, { fields: [field] });
    }
  });

  it("changes what clients may change, and nothing that was changed meanwhile", async () => {
    const { etag } = await snapshotClient().getSnapshot({ uuid: second });
    const snapshot = { uuid: second, etag, description: "text", tags: { a: "1" }, source: "/ignored" };
    const updated = await snapshotClient().updateSnapshot({ snapshot });
    assert.deepEqual([updated.description, updated.tags, updated.source], ["text", { a: "1" }, daemon.folders.source]);
    assert.notEqual(updated.etag, etag);
    await assertStatus(snapshotClient().updateSnapshot({ snapshot }), Code.Aborted, { reason: "ETAG_MISMATCH" });
    for (const [change, field] of [
      [{ tags: { "a.b": "1" } }, "snapshot.tags"],
      [{ tags: { a: "x".repeat(257) } }, "snapshot.tags"],
      [{ description: "x".repeat(4097) }, "description"],
      [{ purgeTime: { seconds: 1n } }, "snapshot.purge_time"],
    ] as const) {
      await assertStatus(
        snapshotClient().updateSnapshot({ snapshot: { uuid: second, ...change } }),
        Code.InvalidArgument,
        { fields: [field] },
      );
    }
    await assertStatus(snapshotClient().updateSnapshot({}), Code.InvalidArgument, { fields: ["snapshot"] });
    await assertStatus(
      snapshotClient().updateSnapshot({ snapshot: { uuid: second }, updateMask: { paths: ["nothing"] } }),
      Code.InvalidArgument,
      { fields: ["update_mask"] },
    );
  });

  describe("entries", () => {
    const list = async (request: Parameters<ReturnType<typeof snapshotClient>["listEntries"]>[0]) =>
      snapshotClient().listEntries({ snapshotUuid: first, ...request });
    const namesOf = async (request: Parameters<typeof list>[0]) =>
      (await list(request)).entries.map(({ displayPath }) => displayPath);

    it("are those of a folder, or everything inside, page by page", async () => {
      const all = ["changed", "folder", "link", "removed", "second", "touched"];
      assert.deepEqual(await namesOf({}), all);
      assert.deepEqual(await namesOf({ parent: Buffer.from("folder/") }), ["folder/file"]);
      assert.deepEqual((await namesOf({ recursive: true })).sort(), [...all, "folder/file"].sort());
      const page = await list({ pageSize: 4 });
      assert.equal(page.totalSize, 6n);
      assert.deepEqual(await namesOf({ pageSize: 4, pageToken: page.nextPageToken }), all.slice(4));
      assert.deepEqual(await namesOf({ filter: "kind = KIND_LINK OR size = 3" }), ["changed", "link"]);
    });

    it("say what they are; a hard link is a file with its content", async () => {
      const { entries } = await list({ recursive: true });
      const byPath = new Map(entries.map((entry) => [entry.displayPath, entry]));
      const [file, other, link] = ["folder/file", "second", "link"].map((path) => byPath.get(path));
      assert.deepEqual([file?.kind, file?.size, file?.mode], [Entry_Kind.FILE, 8n, 0o640]);
      assert.match(file?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
      assert.deepEqual([other?.kind, other?.size, other?.digest], [Entry_Kind.FILE, 8n, file?.digest]);
      assert.deepEqual([link?.kind, Buffer.from(link?.linkTarget ?? []).toString()], [Entry_Kind.LINK, "second"]);
      const { mtimeMs } = statSync(join(daemon.folders.source, "folder", "file"));
      assert.equal(Number(file?.mtime?.seconds), Math.floor(mtimeMs / 1000));
    });

    for (const [what, request, code, reason] of [
      [
        "a folder that the snapshot does not have",
        { parent: Buffer.from("none") },
        Code.NotFound,
        "PATH_NOT_IN_ARCHIVE",
      ],
      ["a parent that is a file", { parent: Buffer.from("changed") }, Code.InvalidArgument, "FIELD_INVALID"],
      ["a parent that leads out", { parent: Buffer.from("..") }, Code.InvalidArgument, "PATH_INVALID"],
      ["an order", { orderBy: "size" }, Code.InvalidArgument, "FIELD_INVALID"],
    ] as const) {
      it(`are refused for ${what}`, async () => {
        await assertStatus(list(request), code, { reason });
      });
    }
  });

  it("is explored by lines, each with its responses", async () => {
    const lines = [
      "pwd",
      "ls",
      "cd folder",
      "ls",
      "cat file",
      "cat ../../../second",
      "find le",
      "cd none",
      "frob",
      "pwd",
    ];
    async function* requests() {
      for (const [at, line] of lines.entries()) yield { id: BigInt(at), line, snapshotUuid: at === 0 ? first : "" };
    }
    const said = lines.map(() => "");
    for await (const { id, text, entries, data, done, error } of snapshotClient().explore(requests())) {
      const names = entries.map(({ displayPath }) => displayPath).join(" ");
      said[Number(id)] += `${text}${names}${Buffer.from(data).toString()}${error}${done ? "." : ""}`;
    }
    assert.deepEqual(said, [
      "/.",
      "changed folder link removed second touched.",
      "/folder.",
      "folder/file.",
      "content\n.",
      "content\n.",
      "folder/file.",
      '"folder/none" is not in the snapshot.',
      'unknown command "frob": use cd FOLDER, ls [FOLDER], cat FILE, find TEXT, pwd, help.',
      "/folder.",
    ]);
    async function* unknown() {
      yield { line: "ls", snapshotUuid: "c0ffee" };
    }
    await assertStatus(collect(snapshotClient().explore(unknown())), Code.NotFound, { reason: "BACKUP_NOT_FOUND" });
  });

  it("finds the versions of a path, newest first", async () => {
    const find = async (path: string) =>
      (await snapshotClient().findVersions({ path: Buffer.from(path) })).versions.map(
        ({ snapshot, entry }) => [snapshot?.uuid, entry?.size] as const,
      );
    assert.deepEqual(await find("changed"), [
      [second, 3n],
      [first, 3n],
    ]);
    // Another time is no other content.
    assert.deepEqual(await find("touched"), [[first, 4n]]);
    assert.deepEqual(await find("added"), [[second, 0n]]);
    assert.deepEqual(await find("none"), []);
    await assertStatus(snapshotClient().findVersions({}), Code.InvalidArgument, { fields: ["path"] });
  });

  it("tells what differs between two snapshots", async () => {
    const diff = async (request: Parameters<ReturnType<typeof snapshotClient>["diffSnapshots"]>[0]) => {
      const found: Difference[] = [];
      for await (const one of snapshotClient().diffSnapshots({ baseUuid: first, otherUuid: second, ...request }))
        found.push(one);
      return found.map(
        ({ change, before, after }) => `${enumName(Difference_ChangeSchema, change)} ${(after ?? before)?.displayPath}`,
      );
    };
    assert.deepEqual(await diff({}), [
      // The time of the source's folder.
      "metadata .",
      "added added",
      "content changed",
      "metadata touched",
      "removed removed",
    ]);
    assert.deepEqual(await diff({ path: Buffer.from("changed") }), ["content changed"]);
    assert.deepEqual(await diff({ path: Buffer.from("folder") }), []);
    await assertStatus(diff({ otherUuid: "c0ffee" }), Code.NotFound, { reason: "BACKUP_NOT_FOUND" });
  });

  const toEnd = async (runs: AsyncIterable<Run>): Promise<Run[]> => collect(runs);

  for (const percent of [0, 50, 100]) {
    it(`verifies ${percent} percent of a snapshot`, async () => {
      const runs = await toEnd(snapshotClient().verifySnapshot({ snapshotUuid: first, percent }));
      const last = runs.at(-1);
      assert.deepEqual(
        [runs[0]?.state, last?.state, last?.kind, last?.subjectUuid],
        [RunState.QUEUED, RunState.COMPLETED, RunKind.VERIFY, first],
      );
      // All files of so small an archive are in one frame.
      const isRead = percent === 100 || (last?.progress?.filesDone ?? 0n) > 0n;
      assert.equal(isRead, percent > 0);
      if (percent === 100) assert.equal(last?.progress?.bytesDone, 19n);
      const { verifyTime } = await snapshotClient().getSnapshot({ uuid: first });
      assert.equal(verifyTime !== undefined, percent > 0);
    });
  }

  it("drills the newest snapshot and an older one, and leaves nothing", async () => {
    const last = (await toEnd(snapshotClient().drillSnapshot({}))).at(-1);
    assert.deepEqual([last?.state, last?.kind], [RunState.COMPLETED, RunKind.DRILL]);
    assert.ok((last?.progress?.filesDone ?? 0n) >= 4n);
    for (const uuid of [first, second]) {
      assert.ok((await snapshotClient().getSnapshot({ uuid })).drillTime !== undefined);
    }
    assert.deepEqual(readdirSync(join(daemon.folders.data, "drills")), []);
    const one = await toEnd(snapshotClient().drillSnapshot({ snapshotUuid: first, maxFiles: 1 }));
    assert.ok((one.at(-1)?.progress?.filesDone ?? 9n) <= 1n);
  });

  it("names the file of an archive that the disk has damaged", async () => {
    const { source, destinations } = daemon.folders;
    const destination = join(destinations, "damaged.tar");
    const { uuid } = await daemon.client.backupToEnd({ source, destination });
    const whole = readFileSync(destination);
    const damaged = Buffer.from(whole);
    const at = damaged.indexOf("content\n");
    damaged[at] = (damaged[at] as number) ^ 1;
    // In place, with its size and its time to the nanosecond, as a disk does it.
    const reference = join(daemon.folders.data, "reference");
    execFileSync("touch", ["-r", destination, reference]);
    const overwrite = (bytes: Buffer): void => {
      writeFileSync(destination, bytes);
      execFileSync("touch", ["-r", reference, destination]);
    };
    overwrite(damaged);
    const message = /"folder\/file" is not what was backed up/;
    for (const check of [
      () => snapshotClient().verifySnapshot({ snapshotUuid: uuid, percent: 100 }),
      () => snapshotClient().verifySnapshot({ snapshotUuid: uuid, percent: 99.99 }),
      () => snapshotClient().drillSnapshot({ snapshotUuid: uuid }),
    ]) {
      await assertStatus(async () => toEnd(check()), Code.DataLoss, {
        reason: "ARCHIVE_DAMAGED",
        message: /folder\/file/,
      });
    }
    await assertStatus(
      async () => collect(daemon.client.restore.downloadFile({ snapshotUuid: uuid, path: Buffer.from("folder/file") })),
      Code.DataLoss,
      { reason: "ARCHIVE_DAMAGED", message },
    );
    overwrite(whole);
    assert.equal(
      (await toEnd(snapshotClient().verifySnapshot({ snapshotUuid: uuid, percent: 100 }))).at(-1)?.state,
      RunState.COMPLETED,
    );
  });

  it("deletes with its archive, unless it is pinned, in use, or was changed", async () => {
    const { source, destinations } = daemon.folders;
    const { uuid } = await daemon.client.backupToEnd({ source, destination: join(destinations, "third.tar") });
    const { etag } = await snapshotClient().updateSnapshot({ snapshot: { uuid, pinned: true } });
    await assertStatus(snapshotClient().deleteSnapshot({ uuid }), Code.FailedPrecondition, {
      reason: "SNAPSHOT_PINNED",
    });
    await assertStatus(daemon.client.backup.deleteBackup({ uuid }), Code.FailedPrecondition, {
      reason: "SNAPSHOT_PINNED",
    });
    await snapshotClient().updateSnapshot({ snapshot: { uuid }, updateMask: { paths: ["pinned"] } });
    await assertStatus(snapshotClient().deleteSnapshot({ uuid, etag }), Code.Aborted, { reason: "ETAG_MISMATCH" });
    await snapshotClient().deleteSnapshot({ uuid, validateOnly: true });
    assert.ok(readdirSync(destinations).includes("third.tar"));
    await snapshotClient().deleteSnapshot({ uuid });
    assert.ok(!readdirSync(destinations).includes("third.tar"));
    await assertStatus(snapshotClient().getSnapshot({ uuid }), Code.NotFound);
  });

  for (const [what, call, field] of [
    ["a percentage above 100", () => snapshotClient().verifySnapshot({ snapshotUuid: first, percent: 101 }), "percent"],
    [
      "a sample of less than nothing",
      () => snapshotClient().drillSnapshot({ snapshotUuid: first, maxFiles: -1 }),
      "max_files",
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assertStatus(async () => toEnd(call()), Code.InvalidArgument, { fields: [field] });
    });
  }
});
