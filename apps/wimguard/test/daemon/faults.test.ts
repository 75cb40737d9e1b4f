import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { readErrorReason } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { runCommand } from "../../src/command/program.ts";
import type { BackupProgress } from "../../src/gen/wimguard/v1/backup_pb.ts";
import { RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { Unreadable } from "../../src/gen/wimguard/v1/schedule_pb.ts";
import { withoutPython, writeHostileArchive } from "../trees/trees.ts";
import { startInProcess } from "./daemon-in-process.ts";
import { makeFolders, startDaemon, wimguardCommand } from "./daemon-process.ts";
import { makeHeldTar, useHeldTar } from "./held-tar.ts";
import { untilEnded } from "./running-backup.ts";
import { withoutMounts } from "./without-mounts.ts";

// Bad input and faults that need a daemon of their own; docs/specs/wimguard.md says which test shows which.

const isRoot = process.geteuid?.() === 0;

/** Puts a script in the place of wimlib-imagex for one test. */
function useWimlib(test: TestContext, script: string): void {
  const { data } = makeFolders(test);
  writeFileSync(join(data, "wimlib-imagex"), `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  useHeldTar(test, { path: [data, process.env.PATH].join(delimiter) });
}

describe("a daemon with a fault", () => {
  it("refuses an engine that is too old, and says which version it needs", async (test) => {
    useWimlib(test, "echo 'wimlib-imagex 1.12.0 (using wimlib 1.12.0)'");
    const { client, folders } = await startInProcess(test);
    const request = { source: folders.source, destination: join(folders.destinations, "a.wim") };
    const error = await assertStatus(client.backup.createBackup(request), Code.FailedPrecondition, {
      reason: "ENGINE_MISSING",
      message:
        /^wimlib-imagex 1\.12\.0 is too old: install wimlib 1\.13 or later .*, or back up to a \.tar\.zst file, which works now$/,
    });
    assert.equal(readErrorReason(error)?.metadata.get("engine"), "wim");
    assert.deepEqual(readdirSync(folders.destinations), []);
    assert.equal((await client.backup.listBackups({})).total, 0);
  });

  it("reports a name that an engine cannot store as a failed backup, and leaves nothing", async (test) => {
    const { client, folders } = await startInProcess(test);
    writeFileSync(Buffer.concat([Buffer.from(`${folders.source}/bad`), Buffer.from([0xff])]), "");
    const updates: BackupProgress[] = [];
    const destination = join(folders.destinations, "a.wim");
    const error = await assertStatus(
      async () => {
        for await (const update of client.backup.createBackup({ source: folders.source, destination }))
          updates.push(update);
      },
      Code.InvalidArgument,
      { reason: "NAME_UNSUPPORTED", fields: ["destination"], message: /whose name is not UTF-8: use \.tar\.zst$/ },
    );
    const last = updates.at(-1);
    assert.deepEqual([last?.status, last?.error], ["failed", error.rawMessage]);
    assert.deepEqual(readdirSync(folders.destinations), []);
    assert.deepEqual(readdirSync(join(folders.data, "manifests")), []);
    assert.equal((await client.backup.getBackup({ uuid: last?.uuid ?? "" })).backup?.status, "failed");
  });

  it("fails a backup that must not leave anything out, and names what it could not read", {
    skip: !isRoot && "only root can become another user",
  }, async (test) => {
    const folders = makeFolders(test);
    const uid = 65_534;
    const { source, destinations, data } = folders;
    writeFileSync(join(source, "secret"), "", { mode: 0o600 });
    for (const folder of [join(data, ".."), source, data, destinations]) execFileSync("chown", [String(uid), folder]);
    const { client } = await startDaemon(test, { folders, uid });
    const { uuid: sourceUuid } = await client.registry.createSource({ source: { name: "work", path: source } });
    const destination = { name: "disk", url: destinations, template: "{name}.tar" };
    const { uuid: destinationUuid } = await client.registry.createDestination({ destination });
    const schedule = {
      name: "all",
      sourceUuid,
      destinationUuid,
      cron: "30 2 * * *",
      timeZone: "UTC",
      unreadable: Unreadable.FAIL,
    };
    const { uuid } = await client.schedule.createSchedule({ schedule });
    const started = await client.schedule.runSchedule({ uuid });
    let run = started;
    while (run.state < RunState.COMPLETED) run = await client.schedule.getRun({ uuid: started.uuid });
    assert.deepEqual(
      [run.state, run.error?.code, run.error?.message],
      [RunState.FAILED, Code.PermissionDenied, "1 entry could not be read: secret; the backup was discarded"],
    );
    assert.deepEqual(readdirSync(destinations), []);
  });

  it("cancels a backup whose client is killed, and leaves nothing", async (test) => {
    const folders = makeFolders(test);
    const tar = makeHeldTar(test, folders.data);
    useHeldTar(test, tar);
    const daemon = await startInProcess(test, { folders });
    tar.hold();
    const args = ["backup", "--json", "--dir", folders.data, "--server", daemon.address, "-s", folders.source];
    const [program = "", ...rest] = wimguardCommand(...args, "-d", join(folders.destinations, "a.tar"));
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    for await (const chunk of child.stdout) {
      text += String(chunk);
      if (text.includes('"reading"')) break;
    }
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
    const uuid = /"uuid":"([^"]+)"/.exec(text)?.[1] ?? "";
    assert.equal(await untilEnded(daemon, uuid), "cancelled");
    assert.equal((await daemon.client.backup.getBackup({ uuid })).backup?.status, "cancelled");
    assert.deepEqual(readdirSync(folders.destinations), []);
    assert.deepEqual(readdirSync(join(folders.data, "manifests")), []);
  });

  it("keeps to the folders that may be restored to, by links too", async (test) => {
    const folders = makeFolders(test);
    const { source, destinations, data } = folders;
    const [allowed, outside] = [join(data, "allowed"), join(data, "outside")];
    for (const folder of [allowed, outside]) mkdirSync(folder);
    symlinkSync(outside, join(allowed, "way"));
    const { client } = await startInProcess(test, {
      folders,
      server: `    roots:\n      restores: [${JSON.stringify(allowed)}]\n`,
    });
    const { uuid } = await client.backupToEnd({ source, destination: join(destinations, "a.tar") });
    for (const target of [join(outside, "new"), join(allowed, "way", "new"), join(allowed, "..", "outside", "new")]) {
      const error = await assertStatus(
        client.restore.createRestore({ snapshotUuid: uuid, target }),
        Code.PermissionDenied,
        {
          reason: "PATH_OUTSIDE_ROOTS",
          message: /is outside of the folders that may be restored to \(service\.server\.roots\.restores\): /,
        },
      );
      assert.ok(readErrorReason(error)?.metadata.has("path"));
    }
    assert.deepEqual([readdirSync(outside), readdirSync(allowed)], [[], ["way"]]);
    await collect(client.restore.createRestore({ snapshotUuid: uuid, target: join(allowed, "new") }));
    assert.deepEqual(readdirSync(allowed), ["new", "way"]);
  });

  it("refuses a restore for which there is too little space before it writes anything; the command exits with 13", {
    skip: withoutMounts(),
  }, async (test) => {
    const folders = makeFolders(test);
    const { source, destinations } = folders;
    writeFileSync(join(source, "zeros"), Buffer.alloc(20_000_000));
    const mount = 'mount -t tmpfs -o size=4m,mode=700 tmpfs "$0" && exec "$@"';
    const wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, destinations];
    const { client, pid } = await startDaemon(test, { folders, wrapper });
    const { uuid } = await client.backupToEnd({ source, destination: join(destinations, "a.tar.zst") });
    const target = join(destinations, "new");
    await assertStatus(client.restore.createRestore({ snapshotUuid: uuid, target }), Code.ResourceExhausted, {
      reason: "NO_SPACE",
      message: /^no space left: the restore needs 20000000 bytes and \d+ are free in /,
    });
    const err = new PassThrough();
    const out = new PassThrough();
    const args = ["restore", uuid, "-t", target, "--dir", folders.data];
    assert.equal(await runCommand(args, { out, err }), 13);
    assert.match(String(err.read()), /^wimguard: no space left: the restore needs 20000000 bytes/);
    assert.deepEqual(readdirSync(`/proc/${pid}/root${destinations}`), ["a.tar.zst"]);
  });

  it("takes no archive into the catalogue whose member leaves the folder, and names the member", {
    skip: withoutPython,
  }, async (test) => {
    const { client, folders } = await startInProcess(test);
    const location = join(folders.destinations, "hostile.tar");
    for (const [kind, member] of [
      ["parent", "./../evil"],
      ["absolute", "/tmp/tercel-evil"],
      ["through-link", "./way/evil"],
    ] as const) {
      writeHostileArchive(kind, location);
      const error = await assertStatus(client.registry.importArchive({ location }), Code.FailedPrecondition, {
        reason: "MEMBER_UNSAFE",
        message: new RegExp(`^unsafe member "${member.replaceAll(".", "\\.")}" in the archive: `),
      });
      assert.equal(readErrorReason(error)?.metadata.get("path"), member);
      assert.equal((await client.backup.listBackups({})).total, 0);
      assert.deepEqual(readdirSync(join(folders.data, "manifests")), []);
      rmSync(location);
    }
  });
});
