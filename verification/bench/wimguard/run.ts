/** `npm run bench -- wimguard [CASE …] [--rounds N] [--megabytes N] [--files N]`: WimGuard next to other backup programs in one run. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildProgram } from "../../../apps/wimguard/test/daemon/build-program.ts";
import { createSuiteContext } from "../../../apps/wimguard/test/daemon/cleanup.ts";
import {
  startTreeProgram,
  type TreeProgram,
  type WalkedEntry,
  withTimesOf,
} from "../../../apps/wimguard/test/trees/trees.ts";
import { UsageError } from "../options.ts";
import { BUILD_FOLDER } from "../paths.ts";
import { measureDaemonCases } from "./daemon-cases.ts";
import { judge, render, type Turn } from "./goals.ts";
import { findSubjects, type OpenSubject, removePlace, type Subject } from "./subjects.ts";
import { changeTree, writeSmallFiles, writeTree } from "./tree.ts";

const caseNames = ["first", "unchanged", "changed", "restore", "many", "daemon"] as const;
type CaseName = (typeof caseNames)[number];

interface Options {
  readonly cases: readonly CaseName[];
  readonly rounds: number;
  readonly megabytes: number;
  readonly files: number;
}

/** As many files for a megabyte as in a folder of source code with what it depends on. */
const filesOfMegabyte = 41;
/** WimGuard reads files again that changed just before the last backup; so long ago they count as left alone. */
const settledAfterMs = 3_000;
/** LZX is for large files: with many small ones the program itself takes most of the time. */
const subjectsOfMany = ["wimguard tar", "wimguard wim XPRESS", "tar | zstd -3", "restic", "borg"];

/** Exit codes: 0 every goal that was measured is met, 1 one is missed. @throws UsageError */
export async function runWimGuardBench(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const program = buildProgram(join(BUILD_FOLDER, "wimguard"));
  const root = mkdtempSync(join(tmpdir(), "tercel-bench-"));
  // As users have it: what Node has compiled is in the user's cache.
  const start = { program, env: { XDG_CACHE_HOME: join(root, "cache"), NODE_COMPILE_CACHE: "" } };
  const { subjects, absent } = findSubjects(start);
  for (const reason of absent) console.error(reason);
  const trees = startTreeProgram();
  try {
    const bench = new Bench(root, trees, options);
    if (["first", "unchanged", "changed", "restore"].some((name) => options.cases.includes(name as CaseName))) {
      const source = join(root, "source");
      mkdirSync(source);
      console.error(`writing ${options.megabytes} MB`);
      writeTree(source, { files: options.megabytes * filesOfMegabyte, bytes: options.megabytes * 1e6 });
      await bench.backUpAndRestore(subjects, source);
      rmSync(source, { recursive: true });
    }
    if (options.cases.includes("many")) {
      const source = join(root, "many");
      mkdirSync(source);
      console.error(`writing ${options.files} files`);
      writeSmallFiles(source, options.files);
      await bench.backUpMany(
        subjects.filter(({ name }) => subjectsOfMany.includes(name)),
        source,
      );
      rmSync(source, { recursive: true });
    }
    const figures = judge(bench.turns);
    process.stdout.write(render(bench.turns, figures));
    const daemon = options.cases.includes("daemon") ? await measureDaemonCases(root, options.rounds, start) : undefined;
    if (daemon !== undefined) process.stdout.write(daemon.text);
    process.stdout.write(describeRun(subjects, options));
    return figures.every(({ isMet }) => isMet) && daemon?.isMet !== false ? 0 : 1;
  } finally {
    await trees.close();
    rmSync(root, { recursive: true, force: true });
  }
}

class Bench {
  readonly turns = new Map<string, Map<string, Turn[]>>();
  readonly #root: string;
  readonly #trees: TreeProgram;
  readonly #options: Options;

  constructor(root: string, trees: TreeProgram, options: Options) {
    this.#root = root;
    this.#trees = trees;
    this.#options = options;
  }

  /** Each step of a round is taken by every subject in turn before the next one. */
  async backUpAndRestore(subjects: readonly Subject[], source: string): Promise<void> {
    for (let round = 0; round < this.#options.rounds; round++) {
      await this.#inRound(subjects, source, async (opened) => {
        await sleep(settledAfterMs);
        await this.#backUp("first", opened);
        await this.#backUp("unchanged", opened);
        changeTree(source, round);
        await sleep(settledAfterMs);
        await this.#backUp("changed", opened);
        await this.#restore(opened, await this.#trees.walk(source));
      });
      console.error(`round ${round + 1} of ${this.#options.rounds}`);
    }
  }

  async backUpMany(subjects: readonly Subject[], source: string): Promise<void> {
    for (let round = 0; round < this.#options.rounds; round++) {
      await this.#inRound(subjects, source, async (opened) => {
        await sleep(settledAfterMs);
        await this.#backUp(`${this.#options.files} files`, opened);
        await this.#backUp(`${this.#options.files} files again`, opened);
      });
      console.error(`round ${round + 1} of ${this.#options.rounds} with many files`);
    }
  }

  async #inRound(
    subjects: readonly Subject[],
    source: string,
    work: (opened: ReadonlyMap<string, OpenSubject>) => Promise<void>,
  ): Promise<void> {
    const context = createSuiteContext();
    const places: string[] = [];
    try {
      const opened = new Map<string, OpenSubject>();
      for (const [at, subject] of subjects.entries()) {
        const place = join(this.#root, `place-${at}`);
        places.push(place);
        opened.set(subject.name, await subject.open(context, source, place));
      }
      await work(opened);
    } finally {
      await context.clean();
      for (const place of places) removePlace(place);
    }
  }

  async #backUp(name: string, opened: ReadonlyMap<string, OpenSubject>): Promise<void> {
    for (const [subject, one] of opened) {
      const before = one.storedBytes();
      const cost = await one.backUp();
      const peakBytes = one.peakBytes?.();
      this.#add(name, subject, {
        ...cost,
        storedBytes: one.storedBytes() - before,
        ...(peakBytes !== undefined && { peakBytes }),
      });
    }
  }

  async #restore(opened: ReadonlyMap<string, OpenSubject>, source: readonly WalkedEntry[]): Promise<void> {
    for (const [subject, one] of opened) {
      const target = join(this.#root, "restored");
      const { folder, ...cost } = await one.restore(target);
      const peakBytes = one.peakBytes?.();
      this.#add("restore", subject, {
        ...cost,
        storedBytes: one.storedBytes(),
        ...(peakBytes !== undefined && { peakBytes }),
      });
      requireSame(subject, await this.#trees.walk(folder), source);
      rmSync(target, { recursive: true });
    }
  }

  #add(name: string, subject: string, turn: Turn): void {
    if (!this.#options.cases.includes((name.includes("files") ? "many" : name) as CaseName)) return;
    const ofCase = this.turns.get(name) ?? new Map<string, Turn[]>();
    this.turns.set(name, ofCase);
    ofCase.set(subject, [...(ofCase.get(subject) ?? []), turn]);
  }
}

/** Kind, mode, content and time of everything inside; the folder itself is not restored by all of them. */
function requireSame(subject: string, restored: readonly WalkedEntry[], source: readonly WalkedEntry[]): void {
  const toText = (entries: readonly WalkedEntry[]): string[] =>
    withTimesOf(entries, 100n)
      .filter(({ path }) => path !== "")
      .map(({ path, kind, mode, size, digest, mtime }) => JSON.stringify([path, kind, mode, size, digest, mtime]));
  const [found, expected] = [toText(restored), toText(source)];
  const at = expected.findIndex((line, index) => line !== found[index]);
  if (at < 0 && found.length === expected.length) return;
  throw new Error(`${subject} restored ${found[at < 0 ? expected.length : at]} and not ${expected[at]}`);
}

function describeRun(subjects: readonly Subject[], { rounds, megabytes, files }: Options): string {
  const versions = [...new Set(subjects.map(({ version }) => version))].join(", ");
  const machine = `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, Linux ${release()}, load ${loadavg()[0]?.toFixed(1)}`;
  return [
    "",
    `Medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}: ${megabytes} MB in ${megabytes * filesOfMegabyte} files; ${files} files of 1 KiB.`,
    "CPU time is that of all processes: for WimGuard of its daemon, of the programs that it starts, and of the client.",
    `Every restore was compared with the source. ${machine}; ${versions}.`,
    "",
  ].join("\n");
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  for (const word of positionals) {
    if (!caseNames.includes(word as CaseName)) {
      throw new UsageError(`"${word}" is none of the cases: ${caseNames.join(", ")}.`);
    }
  }
  const number = (name: "rounds" | "megabytes" | "files", fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} has to be a whole number above 0.`);
    return value;
  };
  return {
    cases: positionals.length === 0 ? caseNames : caseNames.filter((name) => positionals.includes(name)),
    rounds: number("rounds", 3),
    megabytes: number("megabytes", 300),
    files: number("files", 200_000),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { rounds: { type: "string" }, megabytes: { type: "string" }, files: { type: "string" } },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
