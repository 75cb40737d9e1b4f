import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readOptionDocs, withOptionDocs } from "./support/option-docs.ts";

const folder = join(import.meta.dirname, "..");
const readmes = globSync("src/*/README.md", { cwd: folder }).map((path) => join(folder, path));
/** Writes the pages instead of comparing them. */
const updates = process.env.UPDATE_OPTION_DOCS === "1";

/** Every table of options that a module exports. */
const tables = globSync("src/*/*.ts", { cwd: folder }).flatMap((path) => {
  const file = join(folder, path);
  if (file.endsWith(".test.ts")) return [];
  const names = readFileSync(file, "utf8").matchAll(/^export (?:const|function) (\w+Options)\b(?! =\s*\S+\()/gm);
  return Array.from(names, ([, name = ""]) => ({ file, path, name })).filter(({ name }) => name !== "readOptions");
});

describe("the pages of the features", () => {
  it("have the option tables of the code's comments (UPDATE_OPTION_DOCS=1 writes them)", async () => {
    let count = 0;
    for (const readme of readmes) {
      const text = readFileSync(readme, "utf8");
      count += text.split("<!-- options: ").length - 1;
      const written = await withOptionDocs(readme, text);
      if (updates) writeFileSync(readme, written);
      else assert.equal(text, written, `${readme} is out of date`);
    }
    assert.ok(count >= 20, `${count} tables`);
  });
});

describe("the comments of options", () => {
  it("state the same defaults as the code", async () => {
    assert.ok(tables.length >= 30, `${tables.length} tables`);
    for (const { file, path, name } of tables) {
      for (const { name: option, byDefault, option: declared } of await readOptionDocs(file, name)) {
        const where = `${path}: ${name}.${option}`;
        const { presence, fallback } = declared;
        if (presence !== "defaulted") continue;
        assert.notEqual(byDefault, "", `${where} has a default that its comment does not name`);
        if (typeof fallback === "number" && Number.isFinite(fallback)) {
          assert.match(byDefault, new RegExp(`^${fallback.toLocaleString("en-US")}\\b|^${fallback}\\b`), where);
        } else if (typeof fallback === "boolean" || typeof fallback === "string") {
          assert.ok(byDefault.includes(String(fallback)), `${where}: ${byDefault}`);
        }
      }
    }
  });
});
