import type { BackupUpdate } from "../client/backup-to-end.ts";
import { ByteRate } from "../progress/byte-rate.ts";
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
  /** Calls back again and again until the returned function is called. Default: twice a second. */
  readonly every?: (callback: () => void) => () => void;
}

/** Without a terminal, in a log for example, a line is enough. */
const lineEveryMs = 10_000;

/** The rate falls and the time left grows while nothing is heard. */
const redrawEveryMs = 500;

function redrawInTime(callback: () => void): () => void {
  const timer = setInterval(callback, redrawEveryMs).unref();
  return () => clearInterval(timer);
}

/** A bar on a terminal, otherwise a line every ten seconds. */
export function createProgressMeter(output: MeterOutput): ProgressMeter {
  const rate = new ByteRate();
  let last: Omit<BackupUpdate, "uuid"> | undefined;
  let stopRedrawing: (() => void) | undefined;
  let printedAtMs = output.nowMs();

  function show(): void {
    if (last === undefined) return;
    const shown = {
      ...last,
      bytesPerSecond: last.phase === "reading" ? rate.add(last.bytesDone, output.nowMs()) : undefined,
    };
    if (output.isTerminal) {
      output.write(`\r${renderBar(shown, output.columns())}\x1b[K`);
      stopRedrawing ??= (output.every ?? redrawInTime)(show);
    } else if (output.nowMs() - printedAtMs >= lineEveryMs) {
      printedAtMs = output.nowMs();
      output.write(`${renderProgress(shown)}\n`);
    }
  }

  return {
    update(update) {
      last = update;
      show();
    },
    end() {
      stopRedrawing?.();
      if (stopRedrawing !== undefined) output.write("\r\x1b[K");
      stopRedrawing = undefined;
      last = undefined;
    },
  };
}
