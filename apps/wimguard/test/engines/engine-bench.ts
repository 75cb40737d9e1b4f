import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, type TestContext } from "node:test";
import type { Compression, FileEngineName } from "../../src/engine/compression.ts";
import type { ArchiveImage, EngineEvents, PreviousArchive } from "../../src/engine/engine.ts";
import { FailureError, type FailureReason } from "../../src/failure/failure.ts";
import type { ManifestEntry } from "../../src/manifest/manifest-entry.ts";
import { readManifest } from "../../src/manifest/manifest-file.ts";
import { noRules, type SourceRules } from "../../src/source/source-rules.ts";
import { performRestore } from "../../src/thread/perform-restore.ts";
import { type PerformedWrite, performWrite } from "../../src/thread/perform-write.ts";
import { recordEvents, unsyncedFiles } from "../trees/there-and-back.ts";

export const withoutWim: string | false =
  spawnSync("wimlib-imagex", ["--version"]).status !== 0 && "wimlib-imagex is not installed";
export const skipOf = { tar: false, wim: withoutWim } as const;
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
export const never = new AbortController().signal;

interface WriteMore {
  readonly source?: string;
  readonly leaveOut?: readonly string[];
  readonly signal?: AbortSignal;
  readonly previous?: PreviousArchive;
  readonly rules?: SourceRules;
  readonly base?: ArchiveImage;
}

/** Writes and restores archives by an engine alone, in folders that each test has for itself. */
export interface EngineBench {
  readonly folder: string;
  /** Inside of the folder. */
  readonly source: string;
  /** Backs up the source to `archive` and `manifest` in the folder. */
  write(engine: FileEngineName, events: EngineEvents, more?: WriteMore): Promise<PerformedWrite>;
  /** Restores the archive to `restored` in the folder. */
  restore(
    engine: FileEngineName,
    paths?: readonly string[],
    hasManifest?: boolean,
    image?: number,
  ): ReturnType<typeof performRestore>;
  /** Names of what was restored. */
  restored(): string[];
  /** What the manifest has. */
  entries(): Promise<ManifestEntry[]>;
  /** Puts a script in the place of a program for one test. */
  useProgram(test: TestContext, name: string, script: (program: string, name: string) => string): void;
  /** Puts a script in the place of tar when it creates an archive. */
  useTar(test: TestContext, script: string): void;
}

/** Makes the folders before each test of a file, and removes them after it. */
export function useEngineBench(): EngineBench {
  let folder = "";
  let source = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-engines-"));
    source = join(folder, "source");
    mkdirSync(source);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

  async function restore(engine: FileEngineName, paths: readonly string[] = [], hasManifest = true, image = 1) {
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

  function useTar(test: TestContext, script: string): void {
    useProgram(
      test,
      "tar",
      (program) => `tar='${program}'\ncase "$1" in --create) ;; *) exec -a tar "$tar" "$@" ;; esac\n${script}`,
    );
  }

  return {
    get folder() {
      return folder;
    },
    get source() {
      return source;
    },
    write,
    restore,
    restored,
    entries,
    useProgram,
    useTar,
  };
}

export async function failsWith(work: Promise<unknown>, reason: FailureReason, message?: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof FailureError, String(error));
    assert.equal(error.failure.reason, reason, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

export function contentsOf(of: string): string[][] {
  return readdirSync(of)
    .sort()
    .map((name) => [name, readFileSync(join(of, name), "latin1")]);
}

/** Digests of all files below a folder, by their paths. */
export function contentsOfTree(of: string): Record<string, string> {
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
