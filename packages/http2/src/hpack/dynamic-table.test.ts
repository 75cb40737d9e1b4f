import assert from "node:assert/strict";
import { test } from "node:test";
import { DynamicTable } from "./dynamic-table.ts";

function contents(table: DynamicTable): string[] {
  return Array.from({ length: table.length }, (_, age) => `${table.nameAt(age)}=${table.valueAt(age)}`);
}

test("counts 32 bytes next to name and value", () => {
  const table = new DynamicTable(4096);
  table.insert("ab", "cde");
  assert.equal(table.bytes, 37);
});

test("keeps an entry of exactly the table's size, and is emptied by one above", () => {
  const table = new DynamicTable(40);
  table.insert("name", "four");
  assert.deepEqual(contents(table), ["name=four"]);
  table.insert("name", "fiver");
  assert.deepEqual(contents(table), []);
  assert.equal(table.bytes, 0);
});

test("evicts the oldest entries, and only as many as needed", () => {
  const table = new DynamicTable(3 * 34);
  for (const value of ["1", "2", "3", "4"]) table.insert("n", value);
  assert.deepEqual(contents(table), ["n=4", "n=3", "n=2"]);
  table.insert("n", "5".repeat(2));
  assert.deepEqual(contents(table), ["n=55", "n=4"]);
});

test("keeps its order while the ring turns and grows", () => {
  const table = new DynamicTable(100 * 40);
  const inserted: string[] = [];
  for (let count = 0; count < 1000; count++) {
    const value = String(count).padStart(4, "0");
    table.insert("name", value);
    inserted.unshift(`name=${value}`);
    assert.equal(table.length, Math.min(inserted.length, 100));
    if (count % 37 === 0) assert.deepEqual(contents(table), inserted.slice(0, 100));
  }
  table.resize(7 * 40);
  assert.deepEqual(contents(table), inserted.slice(0, 7));
  table.resize(100 * 40);
  assert.deepEqual(contents(table), inserted.slice(0, 7));
});

test("holds nothing at size 0", () => {
  const table = new DynamicTable(0);
  table.insert("", "");
  assert.equal(table.length, 0);
});

test("starts a new epoch whenever an index may change its meaning", () => {
  const table = new DynamicTable(100);
  const epochs = [table.epoch];
  table.insert("a", "b");
  epochs.push(table.epoch);
  table.resize(100);
  epochs.push(table.epoch);
  table.clear();
  epochs.push(table.epoch);
  assert.equal(new Set(epochs).size, 4);
});
