import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { FailureError } from "../failure/failure.ts";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { createReserveFile } from "../files/reserve-file.ts";
import { createRowWriter } from "./row-writer.ts";

describe("createRowWriter", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-rows-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("ends what has begun on a full disk by the reserve, and begins nothing new", (test) => {
    const database = new DatabaseSync(join(folder, "rows.db"));
    test.after(() => database.close());
    database.exec("CREATE TABLE rows (value TEXT) STRICT");
    const pages = Number(database.prepare("PRAGMA page_count").get()?.page_count);
    database.exec(`PRAGMA max_page_count = ${pages}`);
    const reserve = createReserveFile(join(folder, "reserve"));
    let released = 0;
    const writer = createRowWriter(database, createNodeDurableFiles(), {
      ...reserve,
      release() {
        released++;
        database.exec(`PRAGMA max_page_count = ${pages + 10}`);
        return reserve.release();
      },
    });
    reserve.ensure();
    const { size, blocks } = statSync(join(folder, "reserve"));
    assert.ok(size === 1024 * 1024 && blocks * 512 >= size, "the reserve takes space");
    const add = (value: string) => () => void database.prepare("INSERT INTO rows VALUES (?)").run(value);
    const large = "x".repeat(20_000);
    const isFull = (error: unknown): boolean => error instanceof FailureError && error.failure.reason === "NO_SPACE";

    assert.throws(() => writer.insert(add(large)), isFull);
    assert.equal(released, 0);
    writer.change(add(large));
    assert.equal(released, 1);
    assert.equal(statSync(join(folder, "reserve"), { throwIfNoEntry: false }), undefined);
    assert.throws(() => writer.change(add("x".repeat(60_000))), isFull);
    assert.equal(database.prepare("SELECT count(*) AS count FROM rows").get()?.count, 1);
  });
});
