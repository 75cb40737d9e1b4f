import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../harness/random.ts";

/** A folder to back up. */
export interface TreeSize {
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
}

const filesOfFolder = 40;
const vocabulary = 4_000;
const phrases = 50_000;
const seed = 20_261_201;

/**
 * Writes files of many sizes, most of them small, a quarter of which do not compress and the others like text. The same for the same
 * size.
 */
export function writeTree(folder: string, { files, bytes }: TreeSize): void {
  const random = new Random(seed);
  const text = phrasesOf(random);
  const weights = Array.from({ length: files }, () => 1 / (1 + random.below(1000)) + 0.001);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let at = 0; at < files; at++) {
    const parent = folderOf(folder, at);
    if (at % filesOfFolder === 0) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `f${at}`), contentOf(random, text, Math.round((bytes * (weights[at] ?? 0)) / total)));
  }
}

/** Writes files of 1 KiB. */
export function writeSmallFiles(folder: string, files: number): void {
  const random = new Random(seed);
  const text = phrasesOf(random);
  for (let at = 0; at < files; at++) {
    const parent = join(folder, `${Math.floor(at / 1000)}`);
    if (at % 1000 === 0) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `f${at}`), contentOf(random, text, 1024));
  }
}

/** Writes one file in a hundred again, with the size that it had. Returns how many. */
export function changeTree(folder: string, round: number): number {
  const random = new Random(seed + 1 + round);
  const text = phrasesOf(random);
  let changed = 0;
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (let at = round % 100; at < paths.length; at += 100) {
    writeFileSync(paths[at] as string, contentOf(random, text, 2_000 + random.below(40_000)));
    changed++;
  }
  return changed;
}

function folderOf(folder: string, at: number): string {
  const number = Math.floor(at / filesOfFolder);
  return join(folder, `d${number % 25}`, `e${Math.floor(number / 25)}`);
}

function contentOf(random: Random, text: readonly string[], bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  if (random.below(4) === 0) {
    for (let at = 0; at + 4 <= bytes; at += 4) content.writeUInt32LE(random.below(2 ** 32 - 1), at);
    return content;
  }
  for (let at = 0; at < bytes; ) at += content.write(text[random.below(phrases)] as string, at, "latin1") || bytes;
  return content;
}

/** Lines of a few words, of which some are frequent, as in text. */
function phrasesOf(random: Random): string[] {
  const words = Array.from({ length: vocabulary }, () => wordOf(random));
  return Array.from({ length: phrases }, () => {
    const chosen = Array.from(
      { length: 4 + random.below(10) },
      () => words[random.below(1 + random.below(vocabulary))],
    );
    return `${chosen.join(" ")}\n`;
  });
}

function wordOf(random: Random): string {
  return Array.from({ length: 2 + random.below(9) }, () => String.fromCharCode(97 + random.below(26))).join("");
}
