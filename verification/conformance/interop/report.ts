import { allCases } from "./cases.ts";
import type { Cell, Outcome, Side } from "./cell.ts";

const columns: readonly { readonly ours: Side; readonly tls: boolean; readonly title: string }[] = [
  { ours: "client", tls: false, title: "our client" },
  { ours: "client", tls: true, title: "… over TLS" },
  { ours: "server", tls: false, title: "our server" },
  { ours: "server", tls: true, title: "… over TLS" },
];
const columnWidth = 12;
const signs: Readonly<Record<Outcome["kind"], string>> = {
  passed: "ok",
  failed: "FAILED",
  absent: "-",
};

export interface Counts {
  passed: number;
  failed: number;
  absent: number;
}

/** Formats the cells of a peer: a row for each case, a column for each direction and kind of connection. */
export function formatTable(peerName: string, cells: readonly Cell[]): string {
  const width = Math.max(...allCases.map((name) => name.length));
  const lines = [
    [`with ${peerName}`.padEnd(width), ...columns.map(({ title }) => title.padEnd(columnWidth))].join("  "),
  ];
  const reasons = new Map<string, string[]>();
  for (const caseName of allCases) {
    const row = columns.map(({ ours, tls }) => {
      const cell = cells.find((one) => one.caseName === caseName && one.ours === ours && one.tls === tls);
      return (cell === undefined ? "" : signs[cell.outcome.kind]).padEnd(columnWidth);
    });
    lines.push([caseName.padEnd(width), ...row].join("  ").trimEnd());
  }
  for (const { caseName, ours, tls, outcome } of cells) {
    if (outcome.kind === "failed") {
      lines.push(`FAILED ${caseName}, our ${ours}, ${tls ? "TLS" : "cleartext"}:`, indent(outcome.reason));
    } else if (outcome.kind === "absent" && !tls) {
      const key = `- with our ${ours}: ${outcome.reason}`;
      reasons.set(key, [...(reasons.get(key) ?? []), caseName]);
    }
  }
  for (const [reason, names] of reasons) lines.push(`${reason} (${names.join(", ")})`);
  return lines.join("\n");
}

export function count(cells: readonly Cell[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, absent: 0 };
  for (const { outcome } of cells) counts[outcome.kind]++;
  return counts;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
