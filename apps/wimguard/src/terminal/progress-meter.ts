import type { BackupUpdate } from "../client/backup-to-end.ts";
import { renderBar, renderProgress } from "./progress-line.ts";

/** Shows progress somewhere. */
export interface ProgressMeter {
  update(update: Omit<BackupUpdate, "uuid">): void;
  /** Clears the bar, so that what is printed next has a line of its own. */
  end(): void;
}

export interface MeterOutput {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly columns: () => number;
  readonly nowMs: () => number;
}

/** Without a terminal, in a log for example, a line is enough. */
const lineEveryMs = 10_000;
/** The rate is that of the last seconds, so that it follows a disk that becomes slow. */
const rateWindowMs = 5_000;

/** A bar on a terminal, otherwise a line every ten seconds. */
export function createProgressMeter(output: MeterOutput): ProgressMeter {
  const samples: { readonly atMs: number; readonly bytes: number }[] = [];
  let isBarShown = false;
  let printedAtMs = output.nowMs();

  function rate(bytes: number): number | undefined {
    const atMs = output.nowMs();
    samples.push({ atMs, bytes });
    while (samples.length > 2 && atMs - (samples[0]?.atMs ?? 0) > rateWindowMs) samples.shift();
    const first = samples[0];
    if (first === undefined || atMs - first.atMs < 500) return undefined;
    return ((bytes - first.bytes) * 1000) / (atMs - first.atMs);
  }

  return {
    update(update) {
      const shown = { ...update, bytesPerSecond: update.phase === "reading" ? rate(update.bytesDone) : undefined };
      if (output.isTerminal) {
        output.write(`\r${renderBar(shown, output.columns())}\x1b[K`);
        isBarShown = true;
      } else if (output.nowMs() - printedAtMs >= lineEveryMs) {
        printedAtMs = output.nowMs();
        output.write(`${renderProgress(shown)}\n`);
      }
    },
    end() {
      if (isBarShown) output.write("\r\x1b[K");
      isBarShown = false;
    },
  };
}
