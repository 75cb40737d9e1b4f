import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { collect } from "@tercel/test-support/async";
import { Engine, RunKind, RunState } from "../../src/gen/wimguard/v1/common_pb.ts";
import { createSuiteContext } from "./cleanup.ts";
import { type DaemonInProcess, startInProcess } from "./daemon-in-process.ts";
import { makeFolders } from "./daemon-process.ts";

const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";

describe("RegistryService", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  before(async () => {
    daemon = await startInProcess(context);
    const { source } = daemon.folders;
    mkdirSync(join(source, "cache"));
    writeFileSync(join(source, "cache", "left-out"), "x");
    writeFileSync(join(source, "file"), "content\n");
  });
  after(() => context.clean());
  const registry = () => daemon.client.registry;
  const at = (name: string): string => join(daemon.folders.destinations, name);

  describe("sources", () => {
    it("are created once for each request, read, changed and deleted", async () => {
      const source = { name: "work", path: `${daemon.folders.source}/`, excludes: ["/cache/"] };
      const made = await registry().createSource({ source, requestId: "one" });
      assert.deepEqual([made.name, made.path, made.excludes], ["work", daemon.folders.source, ["/cache/"]]);
      assert.equal((await registry().createSource({ source, requestId: "one" })).uuid, made.uuid);
      await assertStatus(
        registry().createSource({ source: { ...source, name: "other" }, requestId: "one" }),
        Code.AlreadyExists,
        { reason: "REQUEST_ID_REUSED" },
      );
      await assertStatus(registry().createSource({ source }), Code.AlreadyExists, { reason: "NAME_TAKEN" });

      const { uuid, etag } = made;
      const updated = await registry().updateSource({
        source: { uuid, etag, oneFileSystem: true },
        updateMask: { paths: ["one_file_system"] },
      });
      assert.deepEqual([updated.oneFileSystem, updated.excludes], [true, ["/cache/"]]);
      await assertStatus(registry().updateSource({ source: { uuid, etag, name: "x" } }), Code.Aborted, {
        reason: "ETAG_MISMATCH",
      });
      const { sources, totalSize } = await registry().listSources({ filter: "name = work" });
      assert.deepEqual([sources.map((one) => one.uuid), totalSize], [[uuid], 1n]);
      await assertStatus(registry().deleteSource({ uuid, etag }), Code.Aborted);
      await registry().deleteSource({ uuid });
      await assertStatus(registry().getSource({ uuid }), Code.NotFound, { reason: "ITEM_NOT_FOUND" });
    });

    for (const [what, source, field] of [
      ["nothing", undefined, "source"],
      ["no name", { path: "/a" }, "source.name"],
      ["a name with a slash", { name: "a/b", path: "/a" }, "source.name"],
      ["a relative path", { name: "a", path: "a" }, "source.path"],
      ["a pattern of two lines", { name: "a", path: "/a", excludes: ["a\nb"] }, "source.excludes"],
    ] as const) {
      it(`are refused with ${what}`, async () => {
        const request =
          source === undefined
            ? {}
            : { source: { ...source, excludes: [...("excludes" in source ? source.excludes : [])] } };
        await assertStatus(registry().createSource(request), Code.InvalidArgument, { fields: [field] });
      });
    }
  });

  describe("destinations", () => {
    it("are checked, created, changed and deleted; their archives stay", async () => {
      const destination = { name: "disk", url: daemon.folders.destinations };
      const checked = await registry().createDestination({ destination, validateOnly: true });
      assert.deepEqual(
        [checked.uuid, checked.engine, checked.template],
        ["", Engine.TAR, "{name}-{date}-{time}.tar.zst"],
      );
      assert.deepEqual((await registry().listDestinations({})).destinations, []);
      const { uuid, freeBytes } = await registry().createDestination({ destination });
      assert.ok(freeBytes > 0n);
      const wim = await registry().updateDestination({
        destination: { uuid, engine: Engine.WIM, template: "{name}.wim" },
        updateMask: { paths: ["engine", "template"] },
      });
      assert.deepEqual([wim.engine, wim.template, wim.url], [Engine.WIM, "{name}.wim", daemon.folders.destinations]);
      await registry().deleteDestination({ uuid });
      await assertStatus(registry().getDestination({ uuid }), Code.NotFound);
    });

    for (const [what, destination, code, field] of [
      ["a relative folder", { name: "a", url: "a" }, Code.InvalidArgument, "destination.url"],
      [
        "a template with a folder",
        { name: "a", url: "/a", template: "b/{name}.tar" },
        Code.InvalidArgument,
        "destination.template",
      ],
      [
        "an unknown placeholder",
        { name: "a", url: "/a", template: "{names}.tar" },
        Code.InvalidArgument,
        "destination.template",
      ],
      [
        "a template of another engine",
        { name: "a", url: "/a", engine: Engine.WIM, template: "{name}.tar" },
        Code.InvalidArgument,
        "destination.template",
      ],
      [
        "a secret that is not needed",
        { name: "a", url: "/a", secretRef: "env:A" },
        Code.InvalidArgument,
        "destination.secret_ref",
      ],
      ["an unknown engine", { name: "a", url: "/a", engine: 99 as Engine }, Code.InvalidArgument, "destination.engine"],
      [
        "a repository with a template",
        { name: "a", url: "restic:/a", template: "{name}.tar" },
        Code.InvalidArgument,
        "destination.template",
      ],
      [
        "a password in the location of a repository",
        { name: "a", url: "restic:rest:https://ada:secret@host/" },
        Code.InvalidArgument,
        "destination.url",
      ],
      [
        "a password instead of where it comes from",
        { name: "a", url: "restic:/a", secretRef: "secret" },
        Code.InvalidArgument,
        "destination.secret_ref",
      ],
    ] as const) {
      it(`are refused with ${what}`, async () => {
        const fields = field === undefined ? {} : { fields: [field] };
        await assertStatus(registry().createDestination({ destination }), code, fields);
      });
    }

    it("are tested step by step", async () => {
      const good = await registry().createDestination({
        destination: { name: "good", url: daemon.folders.destinations },
      });
      const { steps } = await registry().testDestination({ uuid: good.uuid });
      assert.deepEqual(
        steps.map(({ name, ok, message }) => [name, ok, message]),
        ["write", "read", "list", "remove"].map((name) => [name, true, ""]),
      );
      assert.deepEqual(readdirSync(daemon.folders.destinations), []);
      const bad = await registry().createDestination({ destination: { name: "bad", url: "/nowhere" } });
      const [first, ...more] = (await registry().testDestination({ uuid: bad.uuid })).steps;
      assert.deepEqual([first?.name, first?.ok, more], ["write", false, []]);
      assert.match(first?.message ?? "", /ENOENT/);
      for (const { uuid } of [good, bad]) await registry().deleteDestination({ uuid });
    });
  });

  it("lets backups name what is registered", async () => {
    const { source, destinations } = daemon.folders;
    await registry().createSource({ source: { name: "named", path: source, excludes: ["/cache/"] } });
    await registry().createDestination({
      destination: { name: "shelf", url: destinations, template: "{name}-{date}.tar" },
    });
    const { uuid } = await daemon.client.backupToEnd({ source: "named", destination: "shelf" });
    const [name = ""] = readdirSync(destinations);
    assert.match(name, /^source-\d{4}-\d\d-\d\d\.tar$/);
    const { entries } = await daemon.client.snapshot.listEntries({ snapshotUuid: uuid, recursive: true });
    assert.deepEqual(
      entries.map(({ displayPath }) => displayPath),
      ["file"],
    );
    await daemon.client.backup.deleteBackup({ uuid });
    await assertStatus(
      collect(daemon.client.backup.createBackup({ source: "unnamed", destination: "shelf" })),
      Code.InvalidArgument,
      { fields: ["source"] },
    );
  });

  describe("uploads", () => {
    const content = Buffer.alloc(300_000, "content ");
    const whole = createHash("sha256").update(content).digest();
    let destinationUuid = "";
    before(async () => {
      const destination = { name: "inbox", url: daemon.folders.destinations };
      destinationUuid = (await registry().createDestination({ destination })).uuid;
    });
    after(() => registry().deleteDestination({ uuid: destinationUuid }));
    async function* chunks(name: string, sha256: Buffer = whole, offsets = [0, 100_000, 200_000]) {
      for (const [at, offset] of offsets.entries()) {
        const data = content.subarray(at * 100_000, (at + 1) * 100_000);
        yield { name: at === 0 ? name : "", offset: BigInt(offset), data, ...(at === 2 && { sha256 }) };
      }
    }

    it("arrive whole in a destination, and can be imported", async () => {
      const { success, size, sha256, location } = await registry().uploadFile(chunks("inbox/sent.bin"));
      assert.deepEqual([success, size, location], [true, 300_000n, at("sent.bin")]);
      assert.ok(Buffer.from(sha256).equals(whole) && readFileSync(location).equals(content));
      await assertStatus(registry().uploadFile(chunks("inbox/sent.bin")), Code.AlreadyExists, {
        reason: "DESTINATION_EXISTS",
      });
      rmSync(location);
    });

    for (const [what, sent, code, reason] of [
      ["no chunk", () => chunks("", whole, []), Code.InvalidArgument, "FIELD_REQUIRED"],
      ["an unknown destination", () => chunks("outbox/a"), Code.InvalidArgument, "FIELD_INVALID"],
      ["a name that leads out", () => chunks("inbox/../a"), Code.InvalidArgument, "FIELD_INVALID"],
      ["a name in another folder", () => chunks("inbox/a/b"), Code.InvalidArgument, "FIELD_INVALID"],
      ["a gap", () => chunks("inbox/a", whole, [0, 100_000, 200_001]), Code.InvalidArgument, "FIELD_INVALID"],
      ["another digest", () => chunks("inbox/a", Buffer.alloc(32)), Code.DataLoss, "ARCHIVE_DAMAGED"],
    ] as const) {
      it(`are refused with ${what}, and leave nothing`, async () => {
        await assertStatus(registry().uploadFile(sent()), code, { reason });
        assert.deepEqual(readdirSync(daemon.folders.destinations), []);
      });
    }

    it("leave nothing when they are cut off", async () => {
      const controller = new AbortController();
      const gone = Promise.withResolvers<void>();
      async function* cutOff() {
        yield { name: "inbox/cut", offset: 0n, data: content };
        await gone.promise;
      }
      const watcher = watch(daemon.folders.destinations);
      const seen = once(watcher, "change");
      const upload = registry().uploadFile(cutOff(), { signal: controller.signal });
      await seen;
      const removed = once(watcher, "change");
      controller.abort();
      await assertStatus(upload, Code.Canceled);
      gone.resolve();
      while (readdirSync(daemon.folders.destinations).length > 0) await removed.then(() => setImmediate());
      watcher.close();
    });

    it("that a crash has cut off are removed at the next start", async (test) => {
      const folders = makeFolders(test);
      const part = join(folders.destinations, ".wimguard-u.part");
      const first = await startInProcess(test, { folders });
      await first.stop();
      const { dev } = statSync(folders.destinations, { bigint: true });
      const database = new DatabaseSync(join(folders.data, "wimbackup.db"));
      database.prepare("INSERT INTO uploads VALUES ('u', ?, ?)").run(part, String(dev));
      database.close();
      writeFileSync(part, "half");
      await startInProcess(test, { folders });
      assert.deepEqual(readdirSync(folders.destinations), []);
    });
  });

  it("lists its engines, with what they keep and how to install them", async () => {
    const { engines } = await registry().listEngines({});
    const tar = engines.find(({ engine }) => engine === Engine.TAR);
    assert.ok(tar?.available === true && /^\d/.test(tar.version) && tar.keeps.includes("times:1ns"));
    const wim = engines.find(({ engine }) => engine === Engine.WIM);
    assert.deepEqual([wim?.available, wim?.installHint], [withoutWim === false, "apt install wimtools"]);
  });

  describe("a catalogue that is lost", () => {
    for (const name of ["a.tar.zst", "a.wim"]) {
      it(`is made again from archives alone: ${name}`, { skip: name.endsWith(".wim") && withoutWim }, async (test) => {
        const { source } = daemon.folders;
        const destination = at(name);
        const made = await daemon.client.backupToEnd({ source, destination, description: "a & <b>" });
        const before = await daemon.client.snapshot.getSnapshot({ uuid: made.uuid });

        const other = await startInProcess(test);
        const runs = await collect(other.client.registry.importArchive({ location: destination }));
        assert.deepEqual(
          [runs[0]?.state, runs.at(-1)?.state, runs.at(-1)?.kind, runs.at(-1)?.subjectUuid],
          [RunState.QUEUED, RunState.COMPLETED, RunKind.IMPORT, made.uuid],
        );
        const found = await other.client.snapshot.getSnapshot({ uuid: made.uuid });
        for (const field of [
          "source",
          "location",
          "description",
          "sourceBytes",
          "storedBytes",
          "files",
          "createTime",
        ] as const) {
          assert.deepEqual(found[field], before[field], field);
        }
        const target = join(other.folders.data, "target");
        const restored = await collect(
          other.client.restore.createRestore({ snapshotUuid: made.uuid, target, verify: true }),
        );
        assert.deepEqual([restored.at(-1)?.status, restored.at(-1)?.verifiedFiles], ["completed", 2n]);
        assert.equal(readFileSync(join(target, "file"), "utf8"), "content\n");
        await assertStatus(
          collect(other.client.registry.importArchive({ location: destination })),
          Code.AlreadyExists,
          {
            reason: "ARCHIVE_KNOWN",
          },
        );
        await daemon.client.backup.deleteBackup({ uuid: made.uuid });
      });
    }

    it("takes archives of other programs, and files that they hold twice", async (test) => {
      const other = await startInProcess(test);
      const { source, destinations } = makeFolders(test);
      writeFileSync(join(source, "a"), "first");
      const archive = join(destinations, "foreign.tar");
      const tar = (...args: string[]) =>
        execFileSync("tar", [...args, `--file=${archive}`, `--directory=${source}`, "./a"]);
      tar("--create", "--format=gnu");
      writeFileSync(join(source, "a"), "second");
      tar("--append", "--format=gnu");
      const runs = await collect(other.client.registry.importArchive({ location: archive }));
      const uuid = runs[0]?.subjectUuid ?? "";
      const { entries } = await other.client.snapshot.listEntries({ snapshotUuid: uuid });
      assert.deepEqual(
        entries.map(({ displayPath, size }) => [displayPath, size]),
        [["a", 6n]],
      );
      const target = join(other.folders.data, "target");
      await collect(other.client.restore.createRestore({ snapshotUuid: uuid, target, verify: true }));
      assert.equal(readFileSync(join(target, "a"), "utf8"), "second");
      const compressed = `${archive}.zst`;
      if (spawnSync("zstd", ["-q", archive, "-o", compressed]).status === 0) {
        const again = await collect(other.client.registry.importArchive({ location: compressed }));
        assert.equal(again.at(-1)?.state, RunState.COMPLETED);
      }
      // The archive is still somebody's own.
      assert.ok(readdirSync(destinations).includes("foreign.tar"));
    });

    it("takes nothing from a file that is none, or is damaged, and leaves nothing", async () => {
      const path = at("none.tar");
      writeFileSync(path, "not an archive");
      const imported = (location: string) => collect(registry().importArchive({ location }));
      await assertStatus(imported(path), Code.InvalidArgument, { reason: "ARCHIVE_UNKNOWN" });
      await assertStatus(imported(at("missing.tar")), Code.NotFound, { reason: "ARCHIVE_GONE" });
      await assertStatus(imported("relative"), Code.InvalidArgument, { reason: "PATH_INVALID" });
      const { source } = daemon.folders;
      const { uuid } = await daemon.client.backupToEnd({ source, destination: at("whole.tar.zst") });
      copyFileSync(at("whole.tar.zst"), path);
      const bytes = readFileSync(path);
      bytes[30] = (bytes[30] as number) ^ 1;
      writeFileSync(path, bytes);
      const manifests = () => readdirSync(join(daemon.folders.data, "manifests"));
      const before = manifests();
      await assertStatus(imported(path), Code.DataLoss, { reason: "ARCHIVE_DAMAGED" });
      assert.deepEqual(manifests(), before);
      assert.deepEqual(
        (await daemon.client.backup.listBackups({})).backups.map((one) => one.uuid),
        [uuid],
      );
      rmSync(path);
      await daemon.client.backup.deleteBackup({ uuid });
    });
  });
});
