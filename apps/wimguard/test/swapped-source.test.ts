import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import type { ManifestEntry } from "../src/manifest/manifest-entry.ts";
import { readManifest } from "../src/manifest/manifest-file.ts";
import { walkSource } from "../src/source/walk-source.ts";
import { performRestore } from "../src/thread/perform-restore.ts";
import { useHeldTar } from "./daemon/held-tar.ts";
import { recordEvents, unsyncedFiles } from "./trees/there-and-back.ts";
import { writeArchive } from "./write-archive.ts";

describe("a folder of the source that is swapped for a link to elsewhere", () => {
  let folder: string;
  let source: string;
  let outside: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-swapped-"));
    [source, outside] = [join(folder, "source"), join(folder, "outside")];
    for (const place of [outside, source, join(source, "in")]) mkdirSync(place);
    const [secret, mine] = [join(outside, "file"), join(source, "in", "file")];
    writeFileSync(secret, "a secret\n");
    writeFileSync(mine, "my file\n");
    for (const place of [outside, join(source, "in")]) writeFileSync(join(place, "a"), "a\n");
    writeFileSync(join(source, "kept"), "kept\n");
    // An attacker cannot choose the ctime of a file: that of a file elsewhere is another one.
    const ctimeOf = (path: string): bigint => statSync(path, { bigint: true }).ctimeNs;
    while (ctimeOf(mine) <= ctimeOf(secret)) chmodSync(mine, 0o644);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a script instead of a tar that writes, which it calls "$tar". */
  function replaceTar(test: TestContext, script: string): void {
    const programs = join(folder, "programs");
    mkdirSync(programs);
    const tar = execFileSync("sh", ["-c", "command -v tar"], { encoding: "utf8" }).trim();
    const head = `#!/bin/bash\nset -e\ntar='${tar}' folder='${folder}'\n[[ " $* " = *" --create "* ]] || exec -a tar "$tar" "$@"\n`;
    writeFileSync(join(programs, "tar"), head + script, { mode: 0o700 });
    useHeldTar(test, { path: [programs, process.env.PATH].join(delimiter) });
  }

  async function entriesOf(manifestPath: string): Promise<ManifestEntry[]> {
    const entries: ManifestEntry[] = [];
    for await (const entry of readManifest(manifestPath)) entries.push(entry);
    return entries;
  }

  async function restore(archivePath: string, manifestPath: string): Promise<string> {
    const target = join(folder, "restored");
    const task = { archivePath, image: 1, folder: target, paths: [], keepOwner: true };
    const job = { engine: "tar", task, manifestPath, verify: true, merge: undefined } as const;
    await performRestore(unsyncedFiles, job, recordEvents(), new AbortController().signal);
    return target;
  }

  it("is archived as the link that it is, without what that leads to", async (test) => {
    // tar reads when everything has been looked at.
    const swap = 'mv in "$folder/away"; ln -s "$folder/outside" in\n';
    replaceTar(test, `cat > "$folder/names"\n[ -L in ] || { ${swap}}\nexec -a tar "$tar" "$@" < "$folder/names"\n`);
    const { archivePath, manifestPath, warnings } = await writeArchive("tar", source, folder, { method: "NONE" });
    assert.ok(!readFileSync(archivePath).includes("a secret"));
    assert.deepEqual(
      warnings.map(({ reason, path }) => [reason, path.toString()]),
      [["FILE_CHANGED", "in"]],
    );
    const target = await restore(archivePath, manifestPath);
    assert.equal(readlinkSync(join(target, "in")), outside);
    assert.equal(readFileSync(join(target, "kept"), "utf8"), "kept\n");
  });

  it("and back again, at the moment at which tar opens a file, is archived with the file that was looked at", async (test) => {
    // tar lists each name when it has opened the file, and is then done with the folder.
    replaceTar(
      test,
      `[ ! -e "$folder/swapped" ] || exec -a tar "$tar" "$@"
touch "$folder/swapped"
cat > "$folder/names"
mkfifo "$folder/fed" "$folder/listed"
(exec -a tar "$tar" "$@" --verbose --index-file="$folder/listed" < "$folder/fed") &
exec 3> "$folder/fed" 4< "$folder/listed"
until_listed() { while read -r line <&4; do [ "$line" != "$1" ] || return 0; done; return 1; }
head -zn 3 "$folder/names" >&3
until_listed ./in/a
mv in "$folder/away"; ln -s "$folder/outside" in
tail -zn +4 "$folder/names" >&3
exec 3>&-
until_listed ./in/file
rm in; mv "$folder/away" in
cat <&4 > "$folder/rest"
wait $!
`,
    );
    const { archivePath, manifestPath, warnings } = await writeArchive("tar", source, folder, { method: "NONE" });
    assert.ok(!readFileSync(archivePath).includes("a secret"));
    assert.deepEqual(warnings, []);
    const rounds = (await entriesOf(manifestPath)).map(({ path, round = 0 }) => [path.toString(), round]);
    assert.deepEqual(rounds, [
      ["", 0],
      ["in", 0],
      ["in/a", 0],
      ["kept", 0],
      ["in/file", 1],
    ]);
    const target = await restore(archivePath, manifestPath);
    assert.equal(readFileSync(join(target, "in", "file"), "utf8"), "my file\n");
  });

  it("is not listed when it was swapped before its names were read", () => {
    const unreadable: string[] = [];
    const swap = (path: Buffer): false => {
      if (path.toString() !== "in") return false;
      renameSync(join(source, "in"), join(folder, "away"));
      symlinkSync(outside, join(source, "in"));
      return false;
    };
    const walk = walkSource(source, {
      leaveOut: [],
      isExcluded: swap,
      onUnreadable: ({ path, error }) => void unreadable.push(`${path.toString()}: ${error.message}`),
    });
    assert.deepEqual(
      [...walk].map(({ path }) => path.toString()),
      ["", "in", "kept"],
    );
    assert.deepEqual(unreadable, ["in: the folder was replaced while it was read"]);
  });
});
