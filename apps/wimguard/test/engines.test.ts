// Long: it writes archives by every compression, and restores them by other programs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import type { Compression, FileEngineName } from "../src/engine/compression.ts";
import type { ArchiveImage, EngineEvents, PreviousArchive } from "../src/engine/engine.ts";
import { engines } from "../src/engine/engines.ts";
import { verifyTar } from "../src/engine/tar/verify-tar.ts";
import { listImage } from "../src/engine/wim/list-image.ts";
import { createAddedFiles, haveTheirDigests, verifyAppended } from "../src/engine/wim/verify-appended.ts";
import type { ImageEntry } from "../src/engine/wim/wim-image.ts";
import { FailureError, type FailureReason } from "../src/failure/failure.ts";
import { findFile } from "../src/manifest/find-file.ts";
import { readFrames } from "../src/manifest/last-entries.ts";
import type { ManifestEntry } from "../src/manifest/manifest-entry.ts";
import { readManifest } from "../src/manifest/manifest-file.ts";
import { noRules, type SourceRules } from "../src/source/source-rules.ts";
import { performRestore } from "../src/thread/perform-restore.ts";
import { performWrite } from "../src/thread/perform-write.ts";
import { createRandom } from "./crash/crash-points.ts";
import { createFlipSite } from "./flips.ts";
import { checkHostileArchive, createSwapSite } from "./hostile.ts";
import { checkThereAndBack, recordEvents, unsyncedFiles } from "./trees/there-and-back.ts";
import { walkTree, withoutPython, writeHostileArchive } from "./trees/trees.ts";

const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";
const skipOf = { tar: false, wim: withoutWim } as const;
const compressionOf: Readonly<Record<FileEngineName, Compression>> = {
  tar: { method: "ZSTD", level: 3 },
  wim: { method: "XPRESS", level: 20 },
};

const origin = {
  uuid: "6d3f0c5e-7a94-4b7c-9a61-0d6f5a1f2b3c",
  source: "/a & <b>",
  createTime: "2026-01-02T03:04:05.000Z",
  description: "text",
};
const never = new AbortController().signal;
let folder: string;
let source: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-engines-"));
  source = join(folder, "source");
  mkdirSync(source);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface WriteMore {
  readonly source?: string;
  readonly leaveOut?: readonly string[];
  readonly signal?: AbortSignal;
  readonly previous?: PreviousArchive;
  readonly rules?: SourceRules;
  readonly base?: ArchiveImage;
}

async function write(engine: FileEngineName, events: EngineEvents, more: WriteMore = {}) {
  const task = {
    source: more.source ?? source,
    partPath: join(folder, "archive"),
    compression: compressionOf[engine],
    // Names of images in one file have to differ.
    name: more.base === undefined ? "test" : "test again",
    origin,
    leaveOut: more.leaveOut ?? [],
    rules: more.rules ?? noRules,
    scratchPath: join(folder, "scratch"),
    previous: more.previous,
    base: more.base,
  };
  const header = { uuid: "0", engine, source, createTime: new Date(0).toISOString() };
  return performWrite(
    unsyncedFiles,
    { engine, task, manifestDraftPath: join(folder, "manifest"), header },
    events,
    more.signal ?? never,
  );
}

async function restore(engine: FileEngineName, paths: string[] = [], hasManifest = true, image = 1) {
  const task = {
    archivePath: join(folder, "archive"),
    image,
    folder: join(folder, "restored"),
    paths: paths.map((path) => Buffer.from(path)),
    keepOwner: true,
  };
  const manifestPath = hasManifest ? join(folder, "manifest") : undefined;
  return performRestore(
    unsyncedFiles,
    { engine, task, manifestPath, verify: hasManifest, merge: undefined },
    recordEvents(),
    never,
  );
}

function restored(): string[] {
  return (readdirSync(join(folder, "restored"), { recursive: true }) as string[]).sort();
}

async function entries(): Promise<ManifestEntry[]> {
  const found = [];
  for await (const entry of readManifest(join(folder, "manifest"))) found.push(entry);
  return found;
}

async function failsWith(work: Promise<unknown>, reason: FailureReason, message?: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof FailureError, String(error));
    assert.equal(error.failure.reason, reason, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

describe("random trees", { skip: withoutPython }, () => {
  for (const [engine, count] of [
    ["tar", 4],
    ["wim", 2],
  ] as const) {
    it(`come back as they were, by ${engine} and by its own program`, { skip: skipOf[engine] }, async () => {
      const first = Math.floor(Math.random() * 1_000_000);
      for (let seed = first; seed < first + count; seed++) {
        await checkThereAndBack(engine, seed, folder).catch((error) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
      }
    });
  }
});

for (const engine of ["tar", "wim"] as const) {
  describe(`the ${engine} engine`, { skip: skipOf[engine] }, () => {
    it("says how much there is, and counts what it has read", async () => {
      writeFileSync(join(source, "a"), Buffer.alloc(3_000_000, 1));
      writeFileSync(join(source, "b"), "12345");
      linkSync(join(source, "b"), join(source, "c"));
      const totals: number[][] = [];
      const result = await write(engine, recordEvents({ onTotal: (bytes, count) => void totals.push([bytes, count]) }));
      assert.deepEqual(totals, [[3_000_005, 3]]);
      assert.equal(result.sourceBytes, 3_000_005);
      assert.equal(readFileSync(join(folder, "archive")).length, result.storedBytes);
    });

    it("leaves the archive out when the source contains it", async () => {
      writeFileSync(join(source, "a"), "a");
      const inside = join(source, "mine");
      writeFileSync(inside, "not to be read");
      await write(engine, recordEvents(), { leaveOut: [inside] });
      assert.deepEqual(
        (await entries()).map(({ path }) => path.toString()),
        ["", "a"],
      );
    });

    it("leaves out what is excluded, with what is inside", async () => {
      for (const name of ["kept", "cache/deep", "kept/cache", "logs"])
        mkdirSync(join(source, name), { recursive: true });
      for (const name of ["cache/deep/a", "kept/cache/b", "kept/c.log", "kept/d", "logs/e.log", "logs/important.log"])
        writeFileSync(join(source, name), "content");
      const excludes = ["/cache/", "*.log", "!important.log"];
      const result = await write(engine, recordEvents(), { rules: { excludes, oneFileSystem: false } });
      assert.deepEqual((await entries()).map(({ path }) => path.toString()).sort(), [
        "",
        "kept",
        "kept/cache",
        "kept/cache/b",
        "kept/d",
        "logs",
        "logs/important.log",
      ]);
      assert.equal(result.sourceBytes, 21);
      await restore(engine);
      assert.deepEqual(restored().length, 6);
    });

    it("skips sockets, and says so", async (context) => {
      const { createServer } = await import("node:net");
      const server = createServer();
      const path = join(source, "s");
      await new Promise<void>((resolve) => server.listen(path, resolve));
      context.after(() => server.close());
      writeFileSync(join(source, "a"), "a");
      const events = recordEvents();
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path: of }) => [reason, of.toString()]),
        [["SOCKET_SKIPPED", "s"]],
      );
    });

    it("warns of a file that goes while it is read", async () => {
      writeFileSync(join(source, "a"), Buffer.alloc(20_000_000, 1));
      for (let at = 0; at < 200; at++) writeFileSync(join(source, `b${at}`), Buffer.alloc(10_000));
      const last = join(source, "z");
      writeFileSync(last, "z");
      const remove = (): void => {
        if (existsSync(last)) unlinkSync(last);
      };
      const events = recordEvents(
        engine === "tar" ? { onBytes: remove } : { onPhase: (phase) => phase === "reading" && remove() },
      );
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path }) => [reason, path.toString()]),
        [["FILE_GONE", "z"]],
      );
      await restore(engine);
    });

    it("warns of a file that changes whenever it is read, and archives what was there", async (test) => {
      const path = join(source, "log");
      writeFileSync(path, Buffer.alloc(5_000_000, 1));
      // tar waits for room in its pipe, so it has not read the end of the file when something is added.
      if (engine === "tar")
        useTar(test, `set -o pipefail; (exec -a tar "$tar" "$@") | { head -c 100000; echo more >> '${path}'; cat; }`);
      const change = (): void => appendFileSync(path, "more\n");
      const events = recordEvents(engine === "wim" ? { onPhase: (phase) => phase === "reading" && change() } : {});
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path: of }) => [reason, of.toString()]),
        [["FILE_CHANGED", "log"]],
      );
      await restore(engine);
    });

    it("restores selected paths, and a hard link without its first name", async () => {
      mkdirSync(join(source, "in"));
      writeFileSync(join(source, "a"), "content");
      writeFileSync(join(source, "other"), "other");
      linkSync(join(source, "a"), join(source, "in", "second"));
      writeFileSync(join(source, "in", "file"), "file");
      await write(engine, recordEvents());
      await restore(engine, ["in"]);
      assert.deepEqual(restored(), ["in", "in/file", "in/second"]);
      assert.equal(readFileSync(join(folder, "restored/in/second"), "utf8"), "content");
    });

    it("reads single files, large and empty ones, with holes too", async () => {
      const large = randomBytes(3_000_000);
      for (const name of ["a", "b", "c"]) writeFileSync(join(source, name), Buffer.concat([Buffer.from(name), large]));
      writeFileSync(join(source, "empty"), "");
      writeFileSync(join(source, "hole"), "begin");
      truncateSync(join(source, "hole"), 5_000_000);
      await write(engine, recordEvents());
      for (const name of readdirSync(source)) {
        const parts: Buffer[] = [];
        const file = await findFile(join(folder, "manifest"), Buffer.from(name));
        await engines[engine].readFile(
          { archivePath: join(folder, "archive"), image: 1 },
          file,
          async (bytes) => void parts.push(bytes),
          never,
        );
        assert.ok(parts.every((part) => part.length <= 1024 * 1024));
        assert.ok(Buffer.concat(parts).equals(readFileSync(join(source, name))), name);
      }
    });

    it("names a path that is not in the backup", async () => {
      await write(engine, recordEvents());
      await failsWith(restore(engine, ["a/b"]), "PATH_NOT_IN_ARCHIVE", /"a\/b" is not in the backup/);
    });

    it("ends its program when it is cancelled at any moment", async () => {
      for (let at = 0; at < 50; at++) writeFileSync(join(source, `f${at}`), Buffer.alloc(500_000, at));
      for (let moment = 0, hasEnded = false; !hasEnded; moment += 1 + moment) {
        const controller = new AbortController();
        let left = moment;
        // Any event may be the last before the cancel.
        const count = (): void => {
          if (left-- === 0) controller.abort();
        };
        const events = { onPhase: count, onTotal: count, onBytes: count, onReached: count };
        await write(engine, recordEvents(events), { signal: controller.signal }).then(
          () => {
            hasEnded = !controller.signal.aborted;
          },
          (error) => assert.equal((error as FailureError).failure?.reason, "CANCELLED", String(error)),
        );
        assert.ok(!existsSync(join(folder, "scratch")));
        for (const name of ["archive", "manifest"]) rmSync(join(folder, name), { force: true });
      }
    });

    it("completes without a file that the disk cannot read, and names it", {
      skip: spawnSync("strace", ["-qq", "-o", "/dev/null", "true"]).status !== 0 && "strace cannot be used here",
    }, async (test) => {
      const path = join(source, "bad");
      writeFileSync(path, Buffer.alloc(50_000, 1));
      writeFileSync(join(source, "good"), "content");
      const options = `-f -qq -o /dev/null -P '${path}' -e trace=read,pread64 -e inject=read,pread64:error=EIO`;
      useProgram(
        test,
        engine === "tar" ? "tar" : "wimlib-imagex",
        (program, name) => `exec strace ${options} bash -c 'exec -a ${name} "$0" "$@"' '${program}' "$@"`,
      );
      const events = recordEvents();
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path: of, message }) => [reason, of.toString(), message]),
        [["UNREADABLE", "bad", "cannot be read: input/output error"]],
      );
      await restore(engine);
      assert.equal(readFileSync(join(folder, "restored/good"), "utf8"), "content");
    });

    it("finds every flipped bit of an archive when it is checked", async (test) => {
      const site = await createFlipSite(engine);
      test.after(() => site.close());
      const first = Math.floor(Math.random() * 1_000_000);
      for (let seed = first; seed < first + 25; seed++) await site.check(seed);
    });

    it("finds any flipped bit of an archive when it restores it", async () => {
      for (let at = 0; at < 20; at++) writeFileSync(join(source, `f${at}`), `content ${at}\n`.repeat(at * 50));
      await write(engine, recordEvents());
      const whole = readFileSync(join(folder, "archive"));
      const expected = JSON.stringify(contentsOf(source));
      const random = createRandom(Math.floor(Math.random() * 1_000_000));
      for (let flip = 0; flip < 25; flip++) {
        const bytes = Buffer.from(whole);
        const bit = Math.floor(random() * bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        writeFileSync(join(folder, "archive"), bytes);
        const isFound = await restore(engine).then(
          () => false,
          (error) => error instanceof FailureError,
        );
        // Some bits mean nothing, such as a timestamp of the image; then everything has to be there.
        if (!isFound) assert.equal(JSON.stringify(contentsOf(join(folder, "restored"))), expected, `bit ${bit}`);
        rmSync(join(folder, "restored"), { recursive: true, force: true });
      }
    });
  });
}

/** Puts a script in the place of a program for one test. */
function useProgram(test: TestContext, name: string, script: (program: string, name: string) => string): void {
  const programs = join(folder, "programs");
  mkdirSync(programs);
  const program = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
  writeFileSync(join(programs, name), `#!/bin/bash\n${script(program, name)}\n`, { mode: 0o700 });
  const { PATH } = process.env;
  process.env.PATH = `${programs}:${PATH}`;
  test.after(() => {
    process.env.PATH = PATH;
  });
}

/** Puts a script in the place of tar when it creates an archive. */
function useTar(test: TestContext, script: string): void {
  useProgram(
    test,
    "tar",
    (program) => `tar='${program}'\ncase "$1" in --create) ;; *) exec -a tar "$tar" "$@" ;; esac\n${script}`,
  );
}

function contentsOf(of: string): string[][] {
  return readdirSync(of)
    .sort()
    .map((name) => [name, readFileSync(join(of, name), "latin1")]);
}

/** Digests of all files below a folder, by their paths. */
function contentsOfTree(of: string): Record<string, string> {
  const paths = (readdirSync(of, { recursive: true }) as string[]).sort();
  return Object.fromEntries(
    paths.map((path) => {
      const place = join(of, path);
      const stats = lstatSync(place);
      if (stats.isSymbolicLink()) return [path, `link to ${readlinkSync(place)}`];
      return [path, stats.isFile() ? createHash("sha256").update(readFileSync(place)).digest("hex") : "folder"];
    }),
  );
}

describe("the tar engine", () => {
  describe("after a backup of the same source", () => {
    /** Two frames of files that do not compress, and what comes after them. */
    const fillFrames = (): void => {
      mkdirSync(join(source, "in"));
      for (let at = 0; at < 10; at++) {
        writeFileSync(join(source, at < 6 ? `f${at}` : `in/f${at}`), randomBytes(1_800_000));
      }
      symlinkSync("f0", join(source, "link"));
      writeFileSync(join(source, "z"), "last");
    };
    /** Writes an archive of the source, which seems to have been left alone for a while, and keeps it as the one before. */
    const writeFirst = async (test: TestContext): Promise<PreviousArchive> => {
      test.mock.timers.enable({ apis: ["Date"], now: Date.now() + 60_000 });
      const { sha256 } = await write("tar", recordEvents());
      const previous = { archivePath: join(folder, "first"), manifestPath: join(folder, "first-manifest"), sha256 };
      renameSync(join(folder, "archive"), previous.archivePath);
      renameSync(join(folder, "manifest"), previous.manifestPath);
      return previous;
    };
    it("copies the frames whose files have not changed, and restores everything", async (test) => {
      fillFrames();
      const previous = await writeFirst(test);
      const first = await readFrames(previous.manifestPath);
      assert.equal(first.length, 3);
      writeFileSync(join(source, "z"), "changed");
      unlinkSync(join(source, "link"));
      const events = recordEvents();
      const result = await write("tar", events, { previous });
      assert.deepEqual(events.warnings, []);
      assert.equal(result.sourceBytes, 18_000_007);
      const [copied] = await readFrames(join(folder, "manifest"));
      // The folder of the source has changed, so its frame is read again; the next one follows from where it was.
      const [start = 0, end = 0] = [first[1]?.fileOffset, first[2]?.fileOffset];
      assert.deepEqual([copied?.fileOffset, copied?.bytes], [0, first[1]?.bytes]);
      const old = readFileSync(previous.archivePath).subarray(start, end);
      assert.ok(
        readFileSync(join(folder, "archive"))
          .subarray(0, end - start)
          .equals(old),
      );
      // Only what is new is decompressed to verify it; the rest was, and its bytes are compared.
      const archive = join(folder, "archive");
      const newFrom = { offset: copied?.bytes ?? 0, fileOffset: end - start };
      const bytes = readFileSync(archive);
      for (const [at, isFound] of [
        [newFrom.fileOffset - 1000, false],
        [newFrom.fileOffset + 1000, true],
      ] as const) {
        const flipped = join(folder, "flipped");
        writeFileSync(flipped, Buffer.from(bytes).fill((bytes[at] as number) ^ 1, at, at + 1));
        const verified = verifyTar(flipped, newFrom, recordEvents(), never);
        if (isFound) await failsWith(verified, "ARCHIVE_DAMAGED");
        else await verified;
        await failsWith(engines.tar.verify(flipped, recordEvents(), never), "ARCHIVE_DAMAGED");
      }
      await restore("tar");
      assert.deepEqual(contentsOfTree(join(folder, "restored")), contentsOfTree(source));
      // Its frames lead to its files as those of the first one did.
      const file = await findFile(join(folder, "manifest"), Buffer.from("in/f9"));
      const parts: Buffer[] = [];
      await engines.tar.readFile(
        { archivePath: join(folder, "archive"), image: 1 },
        file,
        async (bytes) => void parts.push(bytes),
        never,
      );
      assert.ok(Buffer.concat(parts).equals(readFileSync(join(source, "in/f9"))));
    });

    it("reads a file again that was replaced by one of the same size and time", async (test) => {
      fillFrames();
      const previous = await writeFirst(test);
      const path = join(source, "f0");
      const { mtimeNs } = statSync(path, { bigint: true });
      writeFileSync(path, Buffer.alloc(1_800_000, 1));
      spawnSync("touch", [
        "-d",
        `@${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, "0")}`,
        path,
      ]);
      assert.equal(statSync(path, { bigint: true }).mtimeNs, mtimeNs);
      await write("tar", recordEvents(), { previous });
      await restore("tar");
      assert.deepEqual(contentsOfTree(join(folder, "restored")), contentsOfTree(source));
    });

    it("takes nothing from files that may still be changing", async (test) => {
      test.mock.timers.enable({ apis: ["Date"], now: Date.now() });
      fillFrames();
      await write("tar", recordEvents());
      assert.ok((await entries()).every(({ state }) => state === undefined));
    });

    for (const damaged of ["archivePath", "manifestPath"] as const) {
      it(`takes nothing from an archive that is damaged, and says so: ${damaged}`, async (test) => {
        fillFrames();
        const previous = await writeFirst(test);
        const bytes = readFileSync(previous[damaged]);
        bytes[200] = (bytes[200] as number) ^ 1;
        writeFileSync(previous[damaged], bytes);
        const events = recordEvents();
        await write("tar", events, { previous });
        assert.deepEqual(
          events.warnings.map(({ reason, path }) => [reason, path.toString()]),
          [["PREVIOUS_DAMAGED", previous.archivePath]],
        );
        await restore("tar");
        assert.deepEqual(contentsOfTree(join(folder, "restored")), contentsOfTree(source));
      });
    }
  });

  it("takes a source that is a file", async () => {
    const path = join(source, "-one");
    writeFileSync(path, "content");
    writeFileSync(join(source, "other"), "");
    await write("tar", recordEvents(), { source: path });
    await restore("tar");
    assert.deepEqual(restored(), ["-one"]);
  });

  it("reads a file again that changed once, and restores the last state", async () => {
    const path = join(source, "a");
    writeFileSync(path, Buffer.alloc(5_000_000, 1));
    let isDone = false;
    const events = recordEvents({
      onBytes() {
        if (!isDone) appendFileSync(path, "end");
        isDone = true;
      },
    });
    await write("tar", events);
    assert.deepEqual(events.warnings, []);
    assert.deepEqual(
      (await entries()).map(({ path: of, round }) => [of.toString(), round]),
      [
        ["", undefined],
        ["a", undefined],
        ["a", 1],
      ],
    );
    await restore("tar");
    assert.ok(readFileSync(join(folder, "restored/a")).equals(readFileSync(path)));
  });

  for (const kind of [
    "parent",
    "inner-parent",
    "absolute",
    "through-link",
    "over-link",
    "hard-link",
    "hard-link-through-link",
    "pax-path",
  ]) {
    it(`refuses an archive whose member leaves the folder: ${kind}`, { skip: withoutPython }, async () => {
      writeHostileArchive(kind, join(folder, "archive"));
      await failsWith(
        restore("tar", [], false),
        "MEMBER_UNSAFE",
        /unsafe member ".+" in the archive: .+; nothing was restored/,
      );
      assert.deepEqual(readdirSync(folder).sort(), ["archive", "restored", "source"]);
      assert.ok(!existsSync("/tmp/tercel-evil"));
    });
  }

  it("writes nothing outside of the folder for archives of random members", { skip: withoutPython }, async () => {
    const first = Math.floor(Math.random() * 1_000_000);
    for (let seed = first; seed < first + 20; seed++) {
      await checkHostileArchive(seed).catch((error) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
    }
  });

  it("writes nothing through a link that takes a folder's place during a restore", {
    skip: withoutPython,
  }, async (test) => {
    const site = await createSwapSite();
    test.after(() => site.close());
    for (let at = 0; at < 5; at++) await site.check();
  });

  it("names the first file of an archive that is not the one that was written", async () => {
    writeFileSync(join(source, "a"), "a");
    writeFileSync(join(source, "b"), "b");
    await write("tar", recordEvents());
    rmSync(join(folder, "archive"));
    rmSync(join(folder, "manifest"));
    writeFileSync(join(source, "b"), "B");
    await write("tar", recordEvents());
    const replaced = readFileSync(join(folder, "archive"));
    rmSync(join(folder, "archive"));
    rmSync(join(folder, "manifest"));
    writeFileSync(join(source, "b"), "b");
    await write("tar", recordEvents());
    writeFileSync(join(folder, "archive"), replaced);
    await failsWith(restore("tar"), "ARCHIVE_DAMAGED", /"b": its content is not what was backed up/);
  });

  it("reports an archive that is cut off", async () => {
    writeFileSync(join(source, "a"), Buffer.alloc(100_000, 1));
    await write("tar", recordEvents());
    const whole = readFileSync(join(folder, "archive"));
    writeFileSync(join(folder, "archive"), whole.subarray(0, whole.length - 10));
    await failsWith(engines.tar.verify(join(folder, "archive"), recordEvents(), never), "ARCHIVE_DAMAGED");
  });
});

describe("the wim engine", { skip: withoutWim }, () => {
  it("refuses a name that is not UTF-8 and says what to use", async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${source}/bad`), Buffer.from([0xff])]), "");
    await failsWith(write("wim", recordEvents()), "NAME_UNSUPPORTED", /name is not UTF-8: use \.tar\.zst/);
  });

  it("decompresses what an image has added to a file, and finds what has changed in it and before it", async () => {
    for (const name of ["b", "d"]) writeFileSync(join(source, name), randomBytes(300_000));
    await write("wim", recordEvents());
    const base = { archivePath: join(folder, "first"), image: 1 };
    renameSync(join(folder, "archive"), base.archivePath);
    unlinkSync(join(folder, "manifest"));
    writeFileSync(join(source, "a"), "");
    for (const name of ["c", "e"]) writeFileSync(join(source, name), Buffer.alloc(200_000, name));
    await write("wim", recordEvents(), { base });
    const image = { archivePath: join(folder, "archive"), image: 2 };
    const added = await createAddedFiles(base.archivePath);
    const listed = new Map<string, ImageEntry>();
    const onListed = (entry: ImageEntry): void => {
      listed.set(entry.path.toString(), entry);
      added?.take(entry);
    };
    const unknown = { mtimeNsOf: () => undefined, find: () => undefined };
    await listImage(image, unknown, { addEntry: async () => {}, onListed }, never);
    const files = added?.files ?? [];
    assert.deepEqual(
      files.map(({ path }) => path.toString()),
      ["c", "e"],
    );
    await verifyAppended(image, files, recordEvents(), never);
    assert.equal(await haveTheirDigests(image, files, never), true);
    assert.equal(await haveTheirDigests(image, [...files].reverse(), never), true);
    const [first, second] = files as [ImageEntry, ImageEntry];
    for (const wrong of [
      [first, { ...second, digest: first.digest }],
      [{ ...first, size: first.size - 1 }, second],
      [first, { ...second, size: second.size + 1 }],
    ]) {
      assert.equal(await haveTheirDigests(image, wrong, never), false);
    }
    const bytes = readFileSync(image.archivePath);
    for (const name of ["b", "d", "c", "e"]) {
      const flipped = { ...image, archivePath: join(folder, "flipped") };
      const at = (listed.get(name)?.storedAt ?? 0) + 40;
      writeFileSync(flipped.archivePath, Buffer.from(bytes).fill((bytes[at] as number) ^ 1, at, at + 1));
      await failsWith(verifyAppended(flipped, files, recordEvents(), never), "ARCHIVE_DAMAGED");
    }
  });

  it("does not know what is new in a file without a table of checksums", async () => {
    writeFileSync(join(source, "a"), "text");
    const path = join(folder, "plain.wim");
    spawnSync("wimlib-imagex", ["capture", source, path, "1"]);
    assert.equal(await createAddedFiles(path), undefined);
  });

  it("keeps files that its built-in configuration would drop", async () => {
    for (const name of ["hiberfil.sys", "pagefile.sys"]) writeFileSync(join(source, name), "kept");
    await write("wim", recordEvents());
    await restore("wim");
    assert.deepEqual(restored(), ["hiberfil.sys", "pagefile.sys"]);
  });

  it("refuses a path to leave out that its exclusion list cannot express", async () => {
    const path = join(source, "a*");
    writeFileSync(path, "");
    await failsWith(write("wim", recordEvents(), { leaveOut: [path] }), "NAME_UNSUPPORTED", /"a\*" must be left out/);
  });
});

describe("the walker of the tests", { skip: withoutPython }, () => {
  it("sees a difference", () => {
    writeFileSync(join(source, "a"), "a");
    const before = walkTree(source);
    writeFileSync(join(source, "a"), "b");
    assert.notDeepEqual(walkTree(source), before);
  });
});
