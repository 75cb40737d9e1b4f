// Own process: instrumented code counts in a global.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { countersName, instrument } from "./instrument.ts";

const skip = existsSync(new URL("../node_modules/acorn", import.meta.url))
  ? false
  : "acorn is installed by npm run fuzz";

const source = `export function classify(n) {
  let words = [];
  if (n < 0) words.push("negative");
  else if (n === 0) { words.push("zero") }
  if (n > 100) words.push("large");
  for (let i = 0; i < n && i < 3; i++) words.push(i);
  switch (n) {
    case 1:
    case 2: words.push("few"); break;
    default: words.push("other");
  }
  const twice = (x) => x * 2, pair = (x) => ({ x });
  try { if (n === 7) throw new Error("seven"); } catch { words.push("caught"); }
  do n--; while (n > 50);
  return words.concat(n > 2 ? twice(n) : (pair(n).x ?? "none") || "nothing").join(" ");
}
`;

type Classify = (n: number) => string;

async function load(code: string): Promise<Classify> {
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { classify: Classify };
  return module.classify;
}

test("counts branches and changes nothing else", { skip }, async () => {
  const counters = new Uint8Array(64);
  (globalThis as Record<string, unknown>)[countersName] = counters;
  const { source: instrumented, counters: used } = instrument(source, 5);
  assert.equal(instrumented.split("\n").length, source.split("\n").length);
  const [plain, counting] = [await load(source), await load(instrumented)];
  const paths = new Set<string>();
  for (const n of [-3, 0, 1, 2, 3, 7, 60, 200]) {
    counters.fill(0);
    assert.equal(counting(n), plain(n));
    assert.ok(counters.subarray(0, 5).every((count) => count === 0));
    assert.ok(counters.subarray(5 + used).every((count) => count === 0));
    paths.add(Buffer.from(counters).toString("hex"));
  }
  assert.equal(paths.size, 8, "two of the numbers took the same way");
});
