import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Compression, EngineName } from "../src/engine/compression.ts";
import type { EngineEvents } from "../src/engine/engine.ts";
import { engines } from "../src/engine/engines.ts";
import { FailureError, type FailureReason } from "../src/failure/failure.ts";
import type { ManifestEntry } from "../src/manifest/manifest-entry.ts";
import { readManifest } from "../src/manifest/manifest-file.ts";
import { performRestore } from "../src/thread/perform-restore.ts";
import { performWrite } from "../src/thread/perform-write.ts";
import { createRandom } from "./crash/crash-points.ts";
import { checkThereAndBack, recordEvents, unsyncedFiles } from "./trees/there-and-back.ts";
import { walkTree, withoutPython, writeHostileArchive } from "./trees/trees.ts";

const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";
const skipOf = { tar: false, wim: withoutWim } as const;
const compressionOf: Readonly<Record<EngineName, Compression>> = {
  tar: { method: "ZSTD", level: 3 },
  wim: { method: "XPRESS", level: 20 },
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
}

async function write(engine: EngineName, events: EngineEvents, more: WriteMore = {}) {
  const task = {
    source: more.source ?? source,
    partPath: join(folder, "archive"),
    compression: compressionOf[engine],
    name: "test",
    description: "",
    leaveOut: more.leaveOut ?? [],
  };
  const header = { uuid: "0", engine, source, createTime: new Date(0).toISOString() };
  return performWrite(
    unsyncedFiles,
    { engine, task, manifestDraftPath: join(folder, "manifest"), header },
    events,
    more.signal ?? never,
  );
}

async function restore(engine: EngineName, paths: string[] = [], hasManifest = true) {
  const task = {
    archivePath: join(folder, "archive"),
    folder: join(folder, "restored"),
    paths: paths.map((path) => Buffer.from(path)),
    keepOwner: true,
  };
  const manifestPath = hasManifest ? join(folder, "manifest") : undefined;
  return performRestore(unsyncedFiles, { engine, task, manifestPath, verify: hasManifest }, recordEvents(), never);
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

    it("warns of a file that changes whenever it is read, and archives what was there", async () => {
      const path = join(source, "log");
      writeFileSync(path, Buffer.alloc(5_000_000, 1));
      const timer = setInterval(() => appendFileSync(path, "more\n".repeat(100)), 1);
      const events = recordEvents();
      try {
        await write(engine, events);
      } finally {
        clearInterval(timer);
      }
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

    it("names a path that is not in the backup", async () => {
      await write(engine, recordEvents());
      await failsWith(restore(engine, ["a/b"]), "PATH_NOT_IN_ARCHIVE", /"a\/b" is not in the backup/);
    });

    it("ends its program when it is cancelled at any moment", async () => {
      for (let at = 0; at < 50; at++) writeFileSync(join(source, `f${at}`), Buffer.alloc(500_000, at));
      for (const delayMs of [0, 2, 10, 30, 60, 100]) {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort(), delayMs);
        await write(engine, recordEvents(), { signal: controller.signal }).then(
          () => {},
          (error) => assert.equal((error as FailureError).failure?.reason, "CANCELLED", String(error)),
        );
        clearTimeout(timer);
        for (const name of ["archive", "manifest"]) rmSync(join(folder, name), { force: true });
      }
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

function contentsOf(of: string): string[][] {
  return readdirSync(of)
    .sort()
    .map((name) => [name, readFileSync(join(of, name), "latin1")]);
}

describe("the tar engine", () => {
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
