import type { BenchDocument, CaseResult } from "./document.ts";

/** The document as a page shows it: one table with a row per case and a column per peer, and below it what a reader needs next to it. */
export function renderMarkdown(document: BenchDocument): string {
  return `${renderCases(document)}\n${renderConditions(document)}\n`;
}

/** The table alone. */
export function renderCases(document: BenchDocument): string {
  const peers = [
    ...new Set(document.cases.flatMap(({ peers, failures }) => [...Object.keys(peers), ...Object.keys(failures)])),
  ]
    .filter((name) => name !== "tercel")
    .sort((a, b) => peerOrder(document, a) - peerOrder(document, b));
  const lines = [
    row(["case", "Tercel", "CPU each", ...peers]),
    row(["---", "---", "---", ...peers.map(() => "---")]),
    ...document.cases.map((result) => row(caseCells(result, peers))),
  ];
  return `${lines.join("\n")}\n`;
}

/** On what, when and with which versions it was measured, and what is missing. */
export function renderConditions(document: BenchDocument): string {
  const { rounds, seconds } = document.options;
  const { cpu, cores, kernel } = document.machine;
  const versions = Object.entries(document.versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `Medians of ${rounds} ${rounds === 1 ? "round" : "rounds"} of ${seconds} s on ${document.date}, commit ${document.commit}; ${cpu}, ${cores} cores, Linux ${kernel}; ${versions.join(", ")}.`,
    ...document.notes,
    ...document.cases.flatMap(({ name, failures }) =>
      Object.entries(failures).map(([subject, reason]) => `- \`${name}\`: ${subject} failed: ${reason}`),
    ),
    ...document.skippedPeers.map(({ name, reason }) => `- ${name} was not measured: ${reason}`),
    ...document.skippedCases.map(({ name, reason }) => `- \`${name}\` was skipped: ${reason}`),
  ];
  return lines.join("\n");
}

/** As the versions list them, so that the columns of every run have the same order. */
function peerOrder(document: BenchDocument, name: string): number {
  const at = Object.keys(document.versions).indexOf(name);
  return at === -1 ? Number.MAX_SAFE_INTEGER : at;
}

function caseCells(result: CaseResult, peers: readonly string[]): string[] {
  const tercel =
    result.tercel === null ? "failed" : `${Math.round(result.tercel).toLocaleString("en-US")} ${result.unit}`;
  const cpu = result.cpuMicros === undefined ? "" : duration(result.cpuMicros);
  return [`\`${result.name}\``, tercel, cpu, ...peers.map((name) => peerCell(result, name))];
}

/** The ratio, and in brackets that of the CPU time. */
function peerCell({ peers, failures }: CaseResult, name: string): string {
  const peer = peers[name];
  if (peer === undefined) return failures[name] === undefined ? "" : "failed";
  const cpu = peer.ratioCpu === undefined || peer.ratioCpu === null ? "" : ` (${ratio(peer.ratioCpu)})`;
  return `${ratio(peer.ratio)}${cpu}`;
}

function ratio(value: number | null): string {
  if (value === null) return "-";
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

function duration(micros: number): string {
  return micros >= 1000 ? `${(micros / 1000).toFixed(1)} ms` : `${micros.toFixed(1)} µs`;
}

function row(cells: readonly string[]): string {
  return `|${cells.map((cell) => (cell === "" ? " " : ` ${cell} `)).join("|")}|`;
}
