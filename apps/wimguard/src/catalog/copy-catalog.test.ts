import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { StartError } from "../failure/start-error.ts";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { copyCatalog, listCopies } from "./copy-catalog.ts";
import { openCatalog } from "./open-catalog.ts";

const files = createNodeDurableFiles();
const dayMs = 86_400_000;
const firstDayMs = Date.UTC(2026, 1, 27, 12);

describe("copies of the catalogue", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-copies-"));
    path = join(folder, "wimbackup.db");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are made once a day, open, and the newest seven are kept", async () => {
    const database = openCatalog(path, files, () => "");
    try {
      for (let day = 0; day < 9; day++) {
        const copied = await copyCatalog(database, files, path, firstDayMs + day * dayMs);
        assert.equal(copied, listCopies(path)[0]);
        assert.equal(await copyCatalog(database, files, path, firstDayMs + day * dayMs + 1000), undefined);
      }
    } finally {
      database.close();
    }
    const names = listCopies(path).map((copy) => basename(copy));
    assert.deepEqual([names.length, names[0], names[6]], [7, "2026-03-07-wimbackup.db", "2026-03-01-wimbackup.db"]);
    assert.deepEqual(readdirSync(join(folder, "copies")).sort(), names.reverse());
    const copy = new DatabaseSync(listCopies(path)[0] as string, { readOnly: true });
    assert.equal(copy.prepare("PRAGMA quick_check").get()?.quick_check, "ok");
    assert.equal(copy.prepare("SELECT count(*) AS count FROM backups").get()?.count, 0);
    copy.close();
  });

  it("are named when the catalogue is damaged", async () => {
    const database = openCatalog(path, files, () => "");
    const copy = await copyCatalog(database, files, path, firstDayMs);
    database.close();
    writeFileSync(path, Buffer.alloc(8192, 0x55));
    assert.throws(
      () => openCatalog(path, files, () => ""),
      (error) =>
        error instanceof StartError &&
        error.problem === "damaged" &&
        error.message.includes(`replace it by its newest copy, ${copy}`),
    );
  });
});
