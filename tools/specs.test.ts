// The tables in docs/specs name tests: each of them has to be where the table says.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";

const root = dirname(import.meta.dirname);
/** A row whose second cell is a test file, and whose third is what a test there is called, or a part of that. */
const row = /^\|[^|]*\| `([^`|]+\.test\.ts)` \| (.+?) \|$/;

describe("the tests that the tables of docs/specs name", () => {
  for (const page of globSync("docs/specs/*.md", { cwd: root }).sort()) {
    it(`are there (${page})`, () => {
      const missing: string[] = [];
      for (const line of readFileSync(join(root, page), "utf8").split("\n")) {
        const [, file, name] = row.exec(line) ?? [];
        if (file === undefined || name === undefined) continue;
        const text = existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "";
        if (!text.includes(name)) missing.push(`${file}: ${name}`);
      }
      assert.deepEqual(missing, []);
    });
  }
});
