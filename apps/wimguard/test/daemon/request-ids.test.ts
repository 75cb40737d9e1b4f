import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import { makeFolders } from "./daemon-process.ts";
import { type HeldTar, makeHeldTar, useHeldTar } from "./held-tar.ts";

describe("a request with an id", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let tar: HeldTar;
  let snapshotUuid = "";
  before(async () => {
    const folders = makeFolders(context);
    tar = makeHeldTar(context, folders.data);
    useHeldTar(context, tar);
    daemon = await startInProcess(context, { folders });
    writeFileSync(join(folders.source, "file"), "content\n");
    const destination = join(folders.destinations, "a.tar");
    ({ uuid: snapshotUuid } = await daemon.client.backupToEnd({ source: folders.source, destination }));
  });
  after(() => context.clean());
  const runsOf = async (kind: string) => (await daemon.client.schedule.listRuns({ filter: `kind = ${kind}` })).runs;

  it("starts one restore, which a repetition follows, while it runs and afterwards", async () => {
    const target = join(daemon.folders.data, "target");
    const request = { snapshotUuid, target, verify: true, requestId: "one restore" };
    tar.hold();
    const first = daemon.client.restore.createRestore(request)[Symbol.asyncIterator]();
    const { value: started } = await first.next();
    const repeated = collect(daemon.client.restore.createRestore(request));
    tar.release();
    const updates = await repeated;
    while ((await first.next()).done !== true);
    assert.deepEqual(
      [updates[0]?.status, updates.at(-1)?.status, updates.at(-1)?.uuid, updates.at(-1)?.verifiedFiles],
      ["started", "completed", started?.uuid, 1n],
    );
    const later = await collect(daemon.client.restore.createRestore(request));
    assert.deepEqual([later.at(-1)?.status, later.at(-1)?.uuid], ["completed", started?.uuid]);
    assert.equal((await runsOf("RUN_KIND_RESTORE")).length, 1);
    await assertStatus(
      collect(daemon.client.restore.createRestore({ ...request, verify: false })),
      Code.AlreadyExists,
      { reason: "REQUEST_ID_REUSED" },
    );
    assert.equal(readFileSync(join(target, "file"), "utf8"), "content\n");
  });

  it("starts one import, and a repetition gets its outcome", async () => {
    const archive = join(daemon.folders.destinations, "b.tar");
    writeFileSync(archive, readFileSync(join(daemon.folders.destinations, "a.tar")));
    const request = { location: archive, requestId: "one import" };
    const [first, second] = await Promise.all([
      collect(daemon.client.registry.importArchive(request)),
      collect(daemon.client.registry.importArchive(request)),
    ]);
    assert.deepEqual([first.at(-1)?.state, second.at(-1)?.state], [RunState.COMPLETED, RunState.COMPLETED]);
    assert.equal(first.at(-1)?.uuid, second.at(-1)?.uuid);
    assert.equal((await runsOf("RUN_KIND_IMPORT")).length, 1);
  });

  it("gets the error of the run that it has started, with its reason", async () => {
    const archive = join(daemon.folders.destinations, "c.tar");
    const bytes = readFileSync(join(daemon.folders.destinations, "a.tar"));
    bytes[150] = (bytes[150] as number) ^ 1;
    writeFileSync(archive, bytes);
    const request = { location: archive, requestId: "damaged import" };
    for (let at = 0; at < 2; at++) {
      await assertStatus(collect(daemon.client.registry.importArchive(request)), Code.DataLoss, {
        reason: "ARCHIVE_DAMAGED",
      });
    }
    rmSync(archive);
    const [run] = await runsOf("RUN_KIND_IMPORT");
    assert.equal(run?.error?.code, Code.DataLoss);
    assert.ok(run?.error?.details.some(({ typeUrl }) => typeUrl.endsWith("google.rpc.ErrorInfo")));
    const { entries } = await daemon.client.schedule.listRunLog({ uuid: run?.uuid ?? "", pageSize: 1 });
    assert.deepEqual([entries[0]?.level, entries[0]?.message], ["info", "queued"]);
  });

  it("pages through the log of a run, and ends at its failure", async () => {
    const [run] = await runsOf("RUN_KIND_IMPORT");
    const levels: string[] = [];
    let pageToken = "";
    do {
      const page = await daemon.client.schedule.listRunLog({ uuid: run?.uuid ?? "", pageSize: 1, pageToken });
      levels.push(...page.entries.map(({ level }) => level));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.ok(levels.length >= 2);
    assert.equal(levels.at(-1), "error");
    await assertStatus(daemon.client.schedule.listRunLog({ uuid: "none" }), Code.NotFound, { reason: "RUN_NOT_FOUND" });
  });
});
