import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { ArchiveStores } from "../../src/archive/archive-stores.ts";
import { hashFile } from "../../src/archive/hash-file.ts";
import { recoverArchives } from "../../src/archive/recover-archives.ts";
import { createRepositories } from "../../src/archive/repositories.ts";
import { type BackupService, createBackupService } from "../../src/backup/backup-service.ts";
import { createBackupStore } from "../../src/catalog/backup-store.ts";
import { openCatalog } from "../../src/catalog/open-catalog.ts";
import type { RegisteredDestination } from "../../src/catalog/registered-items.ts";
import { createRowWriter } from "../../src/catalog/row-writer.ts";
import { takeImageOut } from "../../src/engine/engine.ts";
import { createEngineProbes } from "../../src/engine/engine-probes.ts";
import { engines } from "../../src/engine/engines.ts";
import type { DurableFiles } from "../../src/files/durable-files.ts";
import { createNodeDurableFiles } from "../../src/files/node-durable-files.ts";
import { ArchiveUse } from "../../src/jobs/archive-use.ts";
import { JobQueue } from "../../src/jobs/job-queue.ts";
import { readManifest } from "../../src/manifest/manifest-file.ts";
import { createDirectRunner } from "../../src/thread/direct-runner.ts";
import type { CrashImage } from "./crash-image.ts";
import type { Act, Fact } from "./recording-files.ts";

/** Folders in which a daemon's parts work, crash, and start again. Paths are in the catalogue, so they are the same every time. */
export interface CrashSite {
  readonly source: string;
  readonly destinations: string;
  /** Removes everything but the source. */
  clear(): void;
  /** Starts over what is there: opens the catalogue, recovers, and serves. */
  start(files: DurableFiles): Promise<RunningParts>;
  /** Makes the folders what a crash has left. */
  restore(image: CrashImage): void;
  /** Starts once more and asserts everything that a crash must not break. */
  check(facts: readonly Fact[], foreign: ReadonlyMap<string, string>): Promise<void>;
  remove(): void;
}

export interface RunningParts {
  readonly backups: BackupService;
  close(): Promise<void>;
}

/** The name of a destination whose backups are in one file. */
export const appendName = "one-file";

const never = new AbortController().signal;

export function createCrashSite(): CrashSite {
  const root = mkdtempSync(join(tmpdir(), "tercel-crash-"));
  const [source, destinations, data] = ["source", "destinations", "data"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const sharedFile: RegisteredDestination = {
    uuid: "",
    revision: 1,
    name: appendName,
    engine: "wim",
    url: destinations,
    template: "all.wim",
    secretRef: "",
    isAppend: true,
  };
  const manifestFolder = join(data, "manifests");
  const catalogPath = join(data, "wimbackup.db");
  mkdirSync(join(source, "folder"), { recursive: true });
  writeFileSync(join(source, "folder", "file"), "content of a file\n".repeat(500));
  writeFileSync(join(source, "empty"), "");

  const open = (files: DurableFiles): DatabaseSync => openCatalog(catalogPath, files, () => "");
  const storesOver = (database: DatabaseSync, files: DurableFiles): ArchiveStores => ({
    files,
    backups: createBackupStore(database, createRowWriter(database, files)),
    manifestFolder,
    hash: (path) => hashFile(path),
    withoutImage: (engine, archive, newPath) => takeImageOut(engines[engine], archive, newPath, never),
    repositories: createRepositories({ secretRefOf: () => "", onForgotten() {}, signal: never }),
    nowMs: Date.now,
  });

  return {
    source,
    destinations,
    clear() {
      for (const folder of [data, destinations]) rmSync(folder, { recursive: true, force: true });
      mkdirSync(manifestFolder, { recursive: true });
      mkdirSync(destinations);
    },
    async start(files) {
      const database = open(files);
      const stores = storesOver(database, files);
      await recoverArchives(stores);
      const queue = new JobQueue({ jobs: 1 });
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const shared = { stores, queue, log, runner: createDirectRunner(files), probes: createEngineProbes(engines) };
      return {
        backups: createBackupService({
          ...shared,
          use: new ArchiveUse(),
          sourceRoots: undefined,
          track() {},
          rememberEnv: async () => "",
          findSource: () => undefined,
          findDestination: (name) => (name === appendName ? sharedFile : undefined),
        }),
        async close() {
          await queue.close();
          database.close();
        },
      };
    },
    restore(image) {
      this.clear();
      if (image.database !== undefined) writeFileSync(catalogPath, image.database);
      for (const [path, content] of image.files) {
        if (existsSync(dirname(path))) writeFileSync(path, content);
      }
    },
    async check(facts, foreign) {
      const files = createNodeDurableFiles();
      const database = open(files);
      try {
        const stores = storesOver(database, files);
        await recoverArchives(stores);
        assert.deepEqual(stores.backups.unfinished(), [], "a backup is in the middle of something after the recovery");
        const completed = stores.backups.list(1000, 0).filter(({ state }) => state === "completed");
        for (const { destination, archive, uuid } of completed) {
          assert.ok(existsSync(destination), `${destination} of the completed backup ${uuid} is missing`);
          assert.equal(digestOf(destination), archive.sha256, `${destination} is not what was backed up`);
          for await (const _ of readManifest(join(manifestFolder, `${uuid}.jsonl.zst`)));
        }
        for (const shared of Map.groupBy(completed, ({ archiveId }) => archiveId).values()) {
          const images = shared.map(({ image }) => image);
          assert.equal(new Set(images).size, images.length, "two backups are the same image");
        }
        assert.deepEqual(
          new Set(readdirSync(destinations).map((name) => join(destinations, name))),
          new Set([...completed.map(({ destination }) => destination), ...foreign.keys()]),
          "what is next to the archives",
        );
        for (const [path, content] of foreign) assert.equal(readFileSync(path, "utf8"), content);
        assert.deepEqual(
          new Set(readdirSync(manifestFolder)),
          new Set(completed.map(({ uuid }) => `${uuid}.jsonl.zst`)),
          "manifests",
        );
        const requested = new Set(facts.filter(({ kind }) => kind === "delete-requested").map(({ uuid }) => uuid));
        for (const { kind, uuid } of facts) {
          const isThere = completed.some((backup) => backup.uuid === uuid);
          if (kind === "completed" && !requested.has(uuid)) assert.ok(isThere, `the completed backup ${uuid} was lost`);
          if (kind === "deleted") assert.ok(!isThere, `the deleted backup ${uuid} came back`);
        }
      } finally {
        database.close();
      }
    },
    remove: () => rmSync(root, { recursive: true }),
  };
}

function digestOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** What clients were told by the acts so far. */
export function factsOf(acts: readonly Act[]): Fact[] {
  return acts.flatMap((act) => (act.kind === "told" ? [act.fact] : []));
}

export function foreignOf(acts: readonly Act[]): Map<string, string> {
  return new Map(acts.flatMap((act) => (act.kind === "foreign" ? [[act.path, act.bytes.toString()] as const] : [])));
}
