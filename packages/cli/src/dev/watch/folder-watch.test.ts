import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { isPartOfService, watchFolders } from "./folder-watch.ts";

interface Watched {
  readonly folder: string;
  /** Resolves when each of the files was reported. */
  reported(...files: readonly string[]): Promise<void>;
}

function watched(t: TestContext, ...folders: readonly string[]): Watched {
  const folder = mkdtempSync(join(tmpdir(), "tercel-watch-"));
  for (const one of folders) mkdirSync(join(folder, one), { recursive: true });
  const seen = new Set<string>();
  let wake = (): void => {};
  const stop = watchFolders([folder], isPartOfService, (files) => {
    for (const file of files) seen.add(file.slice(folder.length + 1));
    wake();
  });
  t.after(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    async reported(...files) {
      while (!files.every((file) => seen.has(file))) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      assert.deepEqual([...seen].sort(), [...files].sort());
      seen.clear();
    },
  };
}

describe("watched folders", () => {
  it("report a file that is written, replaced or removed, in any folder", async (t) => {
    const { folder, reported } = watched(t, "src/deep");
    writeFileSync(join(folder, "src/deep/a.ts"), "1");
    await reported("src/deep/a.ts");
    // As an editor saves: into a file of its own, which then gets the name.
    writeFileSync(join(folder, "src/deep/a.tmp"), "2");
    renameSync(join(folder, "src/deep/a.tmp"), join(folder, "src/deep/a.ts"));
    await reported("src/deep/a.ts");
    rmSync(join(folder, "src/deep/a.ts"));
    await reported("src/deep/a.ts");
  });

  it("report what is in a folder that comes later, and what changes there", async (t) => {
    const { folder, reported } = watched(t, "src");
    mkdirSync(join(folder, "new/gen"), { recursive: true });
    writeFileSync(join(folder, "new/gen/a.ts"), "1");
    await reported("new/gen/a.ts");
    writeFileSync(join(folder, "new/gen/b.ts"), "1");
    await reported("new/gen/b.ts");
    renameSync(join(folder, "new"), join(folder, "src/moved"));
    await reported("src/moved/gen/a.ts", "src/moved/gen/b.ts");
    writeFileSync(join(folder, "src/moved/gen/a.ts"), "2");
    await reported("src/moved/gen/a.ts");
  });

  it("report nothing of what a service writes, of packages and of tests", async (t) => {
    const { folder, reported } = watched(t, "data", "node_modules/a", "test", ".git", "src");
    for (const file of ["data/a.json", "node_modules/a/a.ts", "test/a.ts", ".git/a.json", "src/a.txt", "src/a.db"]) {
      writeFileSync(join(folder, file), "1");
    }
    writeFileSync(join(folder, ".env"), "A=1");
    await reported(".env");
  });
});

it("knows which files a service is made of", () => {
  const files = ["a/main.ts", "a.mts", "config/local.yaml", "a.sql", ".env", ".env.local", "tls.pem", "package.json"];
  assert.deepEqual(files.filter(isPartOfService), files);
  assert.deepEqual(
    [
      "package-lock.json",
      "buf.yaml",
      "a.proto",
      "a.md",
      "users.db",
      "users.db-wal",
      ".gitignore",
      "a.ts~",
      "ts",
    ].filter(isPartOfService),
    [],
  );
});
