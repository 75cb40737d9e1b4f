// Checks the pages that users read first: the table of all features, and on each page the danger that it protects from.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** The entry points of features. `./gen/*` is for generated code, `./contracts` for tests of stores. */
function features(): string[] {
  const { exports } = JSON.parse(read("package.json")) as { exports: Record<string, unknown> };
  return Object.keys(exports)
    .map((name) => name.replace("./", ""))
    .filter((name) => name !== "package.json" && name !== "contracts" && !name.startsWith("gen/"))
    .sort();
}

test("the table of the package's page has a row for each entry point, in the order of their names", () => {
  const rows = read("README.md").matchAll(/^\| `@tercel\/interceptors\/([a-z0-9-]+)` \|/gm);
  assert.deepEqual(
    [...rows].map(([, entry]) => entry),
    features(),
  );
});

for (const feature of features()) {
  test(`the page of ${feature} opens with its danger`, () => {
    assert.match(read(`src/${feature}/README.md`), /^# .+\n\n\*\*The danger:\*\* \S/);
  });
}
