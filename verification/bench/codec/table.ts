import { advantage } from "../measure/statistics.ts";

/** CPU time of one operation, by subject. */
export interface CodecRow {
  /** Shape and direction. */
  readonly name: string;
  readonly bytes: number;
  readonly microseconds: Readonly<Record<string, number>>;
}

/** Returns a line per shape and direction: Tercel's operations per second of CPU time, and its factor to each other subject. */
export function renderCodecTable(rows: readonly CodecRow[], subjects: readonly string[]): string {
  const [own = "", ...others] = subjects;
  const lines = [line(["", "bytes", own, ...others.map((name) => `× ${name}`)])];
  for (const { name, bytes, microseconds } of rows) {
    const ours = microseconds[own] as number;
    const ratios = others.map((other) => advantage(ours, microseconds[other] as number, "lower").toFixed(2));
    lines.push(line([name, String(bytes), `${rate(ours)}/s`, ...ratios]));
  }
  return `${lines.join("\n")}\n`;
}

function rate(microseconds: number): string {
  return Math.round(1e6 / microseconds).toLocaleString("en-US");
}

function line([name = "", ...cells]: readonly string[]): string {
  return name.padEnd(20) + cells.map((cell) => cell.padStart(15)).join("");
}
