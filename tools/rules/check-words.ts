// `npm run check:words`: fails on words that tools/words.json replaces with those of gRPC, HTTP/2 and Node, in names, comments, texts and pages.
//
// A word matches as a whole and in any case. A word with a capital first letter is a name, and matches as written. `*` at the
// end matches the rest of a word, which may also be part of a name: "octet*" finds "octets" and "firstOctet".
import { readFileSync } from "node:fs";
import { dirname, join, matchesGlob } from "node:path";
import { listFiles } from "../source-files.ts";

interface ReplacedWord {
  readonly word: string;
  readonly instead: string;
  /** Longer texts in which the word is allowed. */
  readonly except?: readonly string[];
}

export interface WordTable {
  /** Globs of the files to check, and exceptions. */
  readonly files: readonly string[];
  readonly except: readonly string[];
  readonly words: readonly ReplacedWord[];
}

export interface FoundWord {
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

/** Returns every position of a replaced word in `text`, in order. */
export function findWords(text: string, words: readonly ReplacedWord[]): FoundWord[] {
  const found: FoundWord[] = [];
  const patterns = words.map(({ word, instead, except = [] }) => ({ pattern: patternOf(word), instead, except }));
  for (const [index, line] of text.split("\n").entries()) {
    for (const { pattern, instead, except } of patterns) {
      for (const match of line.matchAll(pattern)) {
        const isPartOf = (whole: string): boolean => {
          const from = Math.max(0, match.index - whole.length + 1);
          const at = line.toLowerCase().indexOf(whole, from);
          return at !== -1 && at <= match.index;
        };
        if (!except.some(isPartOf)) found.push({ line: index + 1, found: match[0], instead });
      }
    }
  }
  return found;
}

function patternOf(word: string): RegExp {
  const flags = /^[A-Z]|[a-z][A-Z]/.test(word) ? "g" : "gi";
  const escaped = word.replace(/\*$/, "").replace(/[-.]/g, "\\$&");
  return word.endsWith("*")
    ? new RegExp(`(?<![a-z])${escaped}[a-z]*|(?<=[a-z])${capital(escaped)}[a-z]*`, flags)
    : new RegExp(`\\b${escaped}\\b`, flags);
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

/** Returns a line for each position, `file:line: "found", write "instead"`. */
export function checkWords(root: string, table: WordTable): string[] {
  const matches = (file: string, globs: readonly string[]): boolean => globs.some((glob) => matchesGlob(file, glob));
  return listFiles(root)
    .filter((file) => matches(file, table.files) && !matches(file, table.except))
    .flatMap((file) =>
      findWords(readFileSync(join(root, file), "utf8"), table.words).map(
        ({ line, found, instead }) => `${file}:${line}: "${found}", write "${instead}"`,
      ),
    );
}

if (import.meta.main) {
  const table = JSON.parse(readFileSync(join(import.meta.dirname, "..", "words.json"), "utf8")) as WordTable;
  const places = checkWords(dirname(dirname(import.meta.dirname)), table);
  for (const place of places) console.error(place);
  if (places.length > 0) process.exitCode = 1;
  else console.log("words: none that has to be replaced");
}
