import type { BenchDocument, CaseResult } from "./document.ts";

/** The document for a reader: a block per case, a line per subject, and below them whatever has no figure. */
export function renderTable(document: BenchDocument): string {
  const lines: string[] = [];
  for (const result of document.cases) lines.push(...renderCase(result), "");
  const { rounds, seconds } = document.options;
  lines.push(
    `Median of ${rounds} ${rounds === 1 ? "round" : "rounds"} of ${seconds} s. A ratio is how often Tercel is better: above 1, it is.`,
    `Machine: ${document.machine.cpu}, ${document.machine.cores} cores, Linux ${document.machine.kernel}.`,
    `Versions: ${Object.entries(document.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    ...document.notes,
    ...document.skippedPeers.map(({ name, reason }) => `Peer ${name} is not measured: ${reason}`),
    ...document.skippedCases.map(({ name, reason }) => `Case ${name} is skipped: ${reason}`),
  );
  return `${lines.join("\n")}\n`;
}

const NAME_WIDTH = 24;
const COLUMN_WIDTH = 18;

function renderCase(result: CaseResult): string[] {
  const cpuHeading = result.per === undefined ? [] : [`CPU µs/${result.per}`];
  const cpuRatioHeading = result.per === undefined ? [] : ["CPU ratio"];
  const lines = [row(result.name, [result.unit, ...cpuHeading, "ratio", ...cpuRatioHeading])];
  if (result.tercel !== null) {
    lines.push(row("  tercel", [amount(result.tercel), ...cpuCells(result.cpuMicros)]));
  }
  for (const [name, peer] of Object.entries(result.peers)) {
    const cpuRatio = peer.ratioCpu === undefined ? [] : [ratio(peer.ratioCpu)];
    lines.push(row(`  ${name}`, [amount(peer.value), ...cpuCells(peer.cpuMicros), ratio(peer.ratio), ...cpuRatio]));
  }
  for (const [name, reason] of Object.entries(result.failures)) lines.push(`  ${name} FAILED: ${reason}`);
  return lines;
}

function row(name: string, cells: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join("");
}

function cpuCells(cpuMicros: number | undefined): string[] {
  return cpuMicros === undefined ? [] : [cpuMicros.toFixed(2)];
}

function ratio(value: number | null): string {
  return value === null ? "-" : value.toFixed(2);
}

function amount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
