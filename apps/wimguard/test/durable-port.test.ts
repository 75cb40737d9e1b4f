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
  ["config/private-folder.ts", "a folder of caches is made again"],
  ["archive/hash-file.ts", "opens a file to read it"],
  ["catalog/copy-catalog.ts", "the folder of copies is made again"],
  ["catalog/open-catalog.ts", "a copy that was cut off is made again"],
  ["daemon/start-parts.ts", "the folders of manifests and drills are made again"],
  ["files/reserve-file.ts", "holds nothing"],
  ["engine/tar/read-origin.ts", "opens an archive to read its last bytes"],
  ["engine/tar/restore-tar.ts", "opens an archive to read its first bytes"],
  ["engine/give-to-root.ts", "owners in a staging folder"],
  ["engine/restic/restore-restic.ts", "removes from a staging folder what was not selected"],
  ["engine/restic/store-restic.ts", "a list for restic that is gone with the job"],
  ["engine/wim/verify-appended.ts", "opens an archive to read its first bytes"],
  ["engine/wim/write-wim.ts", "a list for wimlib that is gone with the job, and a copy that becomes the part"],
  ["registry/recognize-archive.ts", "opens an archive to read its first bytes"],
  ["restore/move-folder.ts", "permissions of a folder that is moved"],
  ["restore/merge-tree.ts", "moves entry by entry in place; the tree is synced afterwards"],
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
