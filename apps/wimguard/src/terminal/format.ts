import { printable } from "@tercel/grpc/internal";

const units = ["B", "kB", "MB", "GB", "TB", "PB"];

/** A number of bytes for people, in powers of 1000: `999 B`, `1.0 GB`, `437 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded up to 1000 belongs to the next unit.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A number of things for people: `1 file`, `2 files`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A moment for people: RFC 3339 to the second. */
export function formatTime(time: string): string {
  return time.replace(/\.\d+(?=Z$)/, "");
}

/** A duration for people: `7s`, `3m20s`, `2h05m`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${String(whole % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

/** Created when a text needs it: its data takes 8 MB and a tenth of the time of a short command. */
let graphemes: Intl.Segmenter | undefined;
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const maxCellCharacters = 8_192;

/** Columns that a text takes on a terminal: characters of East Asia and emoji take two, marks on a letter none. */
export function textColumns(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

/** Aligns the columns of a table. Names come from files: what would move the cursor is escaped. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map((cell) => printable(cell, maxCellCharacters)));
  const widths: number[] = [];
  for (const row of shown) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, textColumns(cell));
  }
  const pad = (cell: string, at: number): string => cell + " ".repeat((widths[at] ?? 0) - textColumns(cell));
  return shown.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
