/** How far wimlib-imagex is with a phase. */
export interface WimProgress {
  readonly phase: "scanning" | "reading" | "verifying";
  readonly bytesDone: number;
  /** The size of one step of `bytesDone`: wimlib counts in larger units as the total grows. */
  readonly stepBytes: number;
}

const unitBytes: Readonly<Record<string, number>> = {
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const phases: readonly (readonly [RegExp, WimProgress["phase"]])[] = [
  [/^(?:Archiving|Writing|Extracting) file data: /, "reading"],
  [/^(?:Verifying|Calculating integrity|Verifying integrity|Verifying file data)/, "verifying"],
];

/** Parses what wimlib-imagex writes behind `\r`; undefined for lines that are not progress. */
export function parseWimProgress(line: string): WimProgress | undefined {
  const scanned = /^(\d+) (bytes|[KMGT]iB) scanned /.exec(line);
  if (scanned !== null) return toProgress("scanning", scanned[1], scanned[2]);
  const phase = phases.find(([pattern]) => pattern.test(line))?.[1];
  const counted = /: (\d+) (bytes|[KMGT]iB) of \d+ (?:bytes|[KMGT]iB) \(\d+%\) done/.exec(line);
  return phase === undefined || counted === null ? undefined : toProgress(phase, counted[1], counted[2]);
}

function toProgress(phase: WimProgress["phase"], count: string | undefined, unit: string | undefined): WimProgress {
  const stepBytes = unitBytes[unit ?? ""] ?? 1;
  return { phase, bytesDone: Number(count) * stepBytes, stepBytes };
}
