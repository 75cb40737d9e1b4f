import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { DurableFiles } from "../files/durable-files.ts";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { createBackupStore } from "./backup-store.ts";
import { openCatalog } from "./open-catalog.ts";
import { createRowWriter } from "./row-writer.ts";
import { migrations } from "./schema.ts";

const files = createNodeDurableFiles();
const uuid = "6d3f0c5e-7a94-4b7c-9a61-0d6f5a1f2b3c";

describe("a catalogue of an earlier release", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-catalogue-"));
    path = join(folder, "wimbackup.db");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As a release with so many migrations has left it, with one completed backup. */
  const makeVersion = (version: number): void => {
    const database = new DatabaseSync(path);
    for (const migration of migrations.slice(0, version)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${version}`);
    database
      .prepare(
        `INSERT INTO backups (uuid, name, source, destination, engine, compression, description, state, size, files,
           stored_bytes, sha256, device, inode, mtime_ns, created_at_ms, ended_at_ms)
         VALUES (?, 'work', '/work', '/b/work.tar', 'tar', 'NONE', 'text', 'completed', 8, 1, 10240, 'aa', '1', '2', '3', 4, 5)`,
      )
      .run(uuid);
    if (version >= 5) database.exec("UPDATE backups SET archive_id = uuid, added_bytes = stored_bytes");
    database.close();
  };
  const check = (database: DatabaseSync): void => {
    const [backup, ...more] = createBackupStore(database, createRowWriter(database, files)).list(10, 0);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [backup?.uuid, backup?.state, backup?.archiveId, backup?.image, backup?.addedBytes, backup?.isPinned],
      [uuid, "completed", uuid, 1, 10_240, false],
    );
  };

  for (let version = 1; version < migrations.length; version++) {
    it(`opens with its backups, and is copied before it is changed: version ${version}`, () => {
      makeVersion(version);
      const database = openCatalog(path, files, () => "");
      try {
        check(database);
        assert.equal(database.prepare("PRAGMA user_version").get()?.user_version, migrations.length);
      } finally {
        database.close();
      }
      const copy = new DatabaseSync(`${path}.before-${version + 1}`, { readOnly: true });
      assert.equal(copy.prepare("PRAGMA user_version").get()?.user_version, version);
      copy.close();
    });

    it(`opens when the start that would change it was cut off: version ${version}`, () => {
      makeVersion(version);
      let left = 1;
      const stopping: DurableFiles = {
        ...files,
        commit(database, work) {
          if (left-- > 0) return files.commit(database, work);
          // The migrations have run when the process ends, and were not committed.
          return files.commit(database, () => {
            work();
            throw new Error("stopped");
          });
        },
      };
      assert.throws(() => openCatalog(path, stopping, () => ""), /stopped/);
      const database = openCatalog(path, files, () => "");
      check(database);
      database.close();
    });
  }

  it("is copied again when the last start was cut off while it was copied", () => {
    makeVersion(3);
    writeFileSync(`${path}.before-4.draft`, "half a copy");
    openCatalog(path, files, () => "").close();
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes("before")),
      ["wimbackup.db.before-4"],
    );
    assert.ok(existsSync(`${path}.before-4`));
  });

  it("of a later release is refused, and left as it is", () => {
    openCatalog(path, files, () => "").close();
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    database.close();
    assert.throws(
      () => openCatalog(path, files, () => ""),
      /has schema version \d+ but this release supports \d+: run the/,
    );
  });
});
