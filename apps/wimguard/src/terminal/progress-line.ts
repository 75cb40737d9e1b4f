import type { BackupUpdate } from "../client/backup-to-end.ts";
import { formatBytes, formatSeconds } from "./format.ts";

/** What a line of progress shows. */
export interface ShownProgress extends Omit<BackupUpdate, "uuid"> {
  /** Undefined until it can be told. */
  readonly bytesPerSecond: number | undefined;
}

const maxBarColumns = 30;
const minBarColumns = 10;

/** Renders `42% 437 MB/1.0 GB 88 MB/s eta 7s`, or the phase while the total is not known. */
export function renderProgress({ bytesDone, bytesTotal, phase, bytesPerSecond }: ShownProgress): string {
  if (bytesTotal === 0) return phase;
  const percent = Math.floor((bytesDone / bytesTotal) * 100);
  const parts = [`${percent}%`, `${formatBytes(bytesDone)}/${formatBytes(bytesTotal)}`];
  if (phase === "reading" && bytesPerSecond !== undefined && bytesPerSecond > 0) {
    parts.push(`${formatBytes(bytesPerSecond)}/s`, `eta ${formatSeconds((bytesTotal - bytesDone) / bytesPerSecond)}`);
  }
  if (phase !== "reading") parts.push(phase);
  return parts.join(" ");
}

/** Puts a bar before the text if the terminal is wide enough, and cuts what does not fit. */
export function renderBar(progress: ShownProgress, columns: number): string {
  const text = renderProgress(progress);
  const room = Math.min(columns - text.length - 4, maxBarColumns);
  if (progress.bytesTotal === 0 || room < minBarColumns) return text.slice(0, Math.max(columns - 1, 0));
  const filled = Math.floor((progress.bytesDone / progress.bytesTotal) * room);
  return `[${"#".repeat(filled)}${"-".repeat(room - filled)}] ${text}`;
}
