import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { openPrivateFolder } from "./private-folder.ts";

describe("openPrivateFolder", () => {
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "tercel-private-")));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("creates it for this user only, and opens it again", () => {
    const folder = join(root, "user", "cache");
    assert.equal(openPrivateFolder(folder), folder);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(root, "user")).mode & 0o777, 0o700);
    assert.equal(openPrivateFolder(folder), folder);
  });

  it("leads to the place itself where a link leads to it", () => {
    mkdirSync(join(root, "real"), { mode: 0o700 });
    symlinkSync(join(root, "real"), join(root, "link"));
    assert.equal(openPrivateFolder(join(root, "link", "cache")), join(root, "real", "cache"));
  });

  for (const mode of [0o777, 0o770, 0o1777]) {
    it(`does not take one that others can write to: ${mode.toString(8)}`, () => {
      const folder = join(root, "cache");
      mkdirSync(folder);
      chmodSync(folder, mode);
      assert.equal(openPrivateFolder(folder), undefined);
      assert.equal(openPrivateFolder(join(folder, "inner")), undefined);
      assert.ok(!existsSync(join(folder, "inner")));
    });
  }

  it("does not take one whose place others can give to another, unless the folder above is sticky", () => {
    const [shared, folder] = [join(root, "shared"), join(root, "shared", "cache")];
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(shared, 0o777);
    assert.equal(openPrivateFolder(folder), undefined);
    chmodSync(shared, 0o1777);
    assert.equal(openPrivateFolder(folder), folder);
  });

  it("leaves nothing in a folder of another user", { skip: process.getuid?.() !== 0 && "needs root" }, () => {
    const home = join(root, "home");
    mkdirSync(home);
    chownSync(home, 65_534, 65_534);
    assert.equal(openPrivateFolder(join(home, ".cache", "program")), undefined);
    assert.ok(!existsSync(join(home, ".cache")));
  });
});
