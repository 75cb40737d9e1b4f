import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";

const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";

/** So many backups are in a file, as wimlib itself sees it. */
function imagesIn(path: string): number {
  const text = execFileSync("wimlib-imagex", ["info", path], { encoding: "utf8" });
  return Number(/^Image Count: +(\d+)$/m.exec(text)?.[1]);
}

describe("a destination that backups are added to", { skip: withoutWim }, () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let archive: string;
  before(async () => {
    daemon = await startInProcess(context);
    const { source, destinations } = daemon.folders;
    writeFileSync(join(source, "large"), Buffer.alloc(500_000, "some text, "));
    await daemon.client.registry.createDestination({ destination: { name: "file", url: destinations, append: true } });
    archive = join(destinations, "source.wim");
  });
  after(() => context.clean());

  const backUp = async (content: string): Promise<string> => {
    writeFileSync(join(daemon.folders.source, "version"), content);
    return (await daemon.client.backupToEnd({ source: daemon.folders.source, destination: "file" })).uuid;
  };
  const versionOf = async (uuid: string): Promise<string> => {
    const target = join(daemon.folders.data, `target-${uuid}`);
    await collect(daemon.client.restore.createRestore({ snapshotUuid: uuid, target, verify: true }));
    const text = readFileSync(join(target, "version"), "utf8");
    rmSync(target, { recursive: true });
    const chunks = await collect(
      daemon.client.restore.downloadFile({ snapshotUuid: uuid, path: Buffer.from("version") }),
    );
    assert.equal(Buffer.concat(chunks.map(({ data }) => data)).toString(), text);
    return text;
  };

  it("keeps all of them in one file, each restorable, and grows by what is new", async () => {
    const uuids = [await backUp("one"), await backUp("two"), await backUp("three")];
    assert.deepEqual(readdirSync(daemon.folders.destinations), ["source.wim"]);
    assert.equal(imagesIn(archive), 3);
    for (const [at, uuid] of uuids.entries()) {
      assert.equal(await versionOf(uuid), ["one", "two", "three"][at]);
      const { location, storedBytes } = await daemon.client.snapshot.getSnapshot({ uuid });
      assert.equal(location, at === 0 ? archive : `${archive}, image ${at + 1}`);
      assert.ok(at === 0 || storedBytes < 10_000n, `${storedBytes} bytes more`);
      await collect(daemon.client.snapshot.verifySnapshot({ snapshotUuid: uuid, percent: 100 }));
    }
    await collect(daemon.client.snapshot.drillSnapshot({ snapshotUuid: uuids[1] ?? "" }));

    // Each of them is in a catalogue that is made again from the file.
    const other = await startInProcess({ after: (work) => context.after(work) });
    await collect(other.client.registry.importArchive({ location: archive }));
    const { snapshots } = await other.client.snapshot.listSnapshots({ orderBy: "create_time" });
    assert.deepEqual(
      snapshots.map(({ uuid }) => uuid),
      uuids,
    );
    const [, second] = snapshots;
    assert.equal(second?.location, `${archive}, image 2`);
    const found = await other.client.snapshot.findVersions({ path: Buffer.from("version") });
    assert.deepEqual(
      found.versions.map(({ snapshot }) => snapshot?.uuid),
      uuids.toReversed(),
    );
  });

  it("is written again without one that is deleted, and is gone with the last", async () => {
    const { snapshots } = await daemon.client.snapshot.listSnapshots({ orderBy: "create_time" });
    const [first = "", second = "", third = ""] = snapshots.map(({ uuid }) => uuid);
    await daemon.client.backup.deleteBackup({ uuid: second });
    assert.deepEqual(readdirSync(daemon.folders.destinations), ["source.wim"]);
    assert.equal(imagesIn(archive), 2);
    assert.equal((await daemon.client.snapshot.getSnapshot({ uuid: third })).location, `${archive}, image 2`);
    assert.deepEqual([await versionOf(first), await versionOf(third)], ["one", "three"]);

    const fourth = await backUp("four");
    assert.equal(await versionOf(fourth), "four");
    await daemon.client.backup.deleteBackup({ uuid: first });
    assert.deepEqual([await versionOf(third), await versionOf(fourth)], ["three", "four"]);
    await daemon.client.backup.deleteBackup({ uuid: fourth });
    await daemon.client.backup.deleteBackup({ uuid: third });
    assert.deepEqual(readdirSync(daemon.folders.destinations), []);
    assert.deepEqual(readdirSync(join(daemon.folders.data, "manifests")), []);
  });

  it("adds nothing to a file that is not its own, or was changed", async () => {
    const { source } = daemon.folders;
    const create = (compression = "") =>
      collect(daemon.client.backup.createBackup({ source, destination: "file", compression }));
    execFileSync("wimlib-imagex", ["capture", source, archive], { stdio: "ignore" });
    await assertStatus(create(), Code.AlreadyExists, { reason: "DESTINATION_EXISTS" });
    assert.equal(imagesIn(archive), 1);
    rmSync(archive);
    const uuid = await backUp("five");
    await assertStatus(create("XPRESS"), Code.InvalidArgument, { fields: ["compression"] });
    const { size } = statSync(archive);
    appendFileSync(archive, "x");
    await assertStatus(create(), Code.DataLoss, { reason: "ARCHIVE_DAMAGED" });
    assert.equal(statSync(archive).size, size + 1);
    rmSync(archive);
    await daemon.client.backup.deleteBackup({ uuid });
  });

  it("is for .wim files only", async () => {
    const destination = { name: "tar", url: "/", template: "{name}.tar", append: true };
    await assertStatus(daemon.client.registry.createDestination({ destination }), Code.InvalidArgument, {
      fields: ["destination.append"],
    });
  });
});
