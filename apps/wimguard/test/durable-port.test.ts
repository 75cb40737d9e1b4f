import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

const source = join(import.meta.dirname, "../src");

/** What changes a file system. Reading needs no port. */
const acts =
  "appendFile|chmod|chown|copyFile|cp|createWriteStream|fdatasync|fsync|ftruncate|lchown|link|lutimes|mkdir|mkdtemp|open|rename|rm|rmdir|symlink|truncate|unlink|utimes|write|writeFile|writev";
const importedAct = new RegExp(`\\b(?:${acts})(?:Sync)?\\b`);

/** Files that may act by themselves, and why nothing of it has to survive a crash. */
const allowed = new Map([
  ["files/node-durable-files.ts", "the port"],
  ["config/prepare-folder.ts", "a folder that is missing is made again, and permissions are taken away again"],
  ["daemon/run-daemon.ts", "the folder of manifests is made again"],
  ["engine/tar/restore-tar.ts", "opens an archive to read its first bytes"],
  ["engine/wim/wim-engine.ts", "a list for wimlib that is gone with the job, and owners in a staging folder"],
]);

describe("durable acts", () => {
  const files = globSync("**/*.ts", { cwd: source, exclude: ["gen/**"] }).filter((file) => !file.endsWith(".test.ts"));

  it("go through the port, so that tests can stop at each of them", () => {
    const found = files.filter((file) => {
      const text = readFileSync(join(source, file), "utf8");
      return [...text.matchAll(/import (?!type)[^;]*? from "node:fs(?:\/promises)?";/g)].some(([line]) =>
        importedAct.test(line),
      );
    });
    assert.ok(files.length > 80);
    assert.deepEqual(found.sort(), [...allowed.keys()].sort());
  });
});
