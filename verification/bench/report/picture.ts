import { decidingRatio } from "./deciding-ratio.ts";
import type { BenchDocument, CaseResult } from "./document.ts";

/** How a peer is drawn: two letters on a disc, so that no reader has to tell colours apart. */
const looks: Readonly<Record<string, { readonly letters: string; readonly color: string }>> = {
  "grpc-js": { letters: "js", color: "#2563eb" },
  "connect-node": { letters: "cn", color: "#0e7490" },
  "nice-grpc": { letters: "ni", color: "#4f46e5" },
  "grpc-go": { letters: "go", color: "#15803d" },
  "grpc-cpp": { letters: "c+", color: "#a16207" },
  "grpc-java": { letters: "ja", color: "#b91c1c" },
  tonic: { letters: "to", color: "#c2410c" },
  hyper: { letters: "hy", color: "#9d174d" },
  canned: { letters: "=", color: "#57606a" },
};
const otherLook = { letters: "?", color: "#57606a" };

/** The scale: from a quarter to 128 times, each step twice the one before. */
const LEAST_POWER = -2;
const MOST_POWER = 7;
const labelWidth = 180;
const plotWidth = 720;
const width = labelWidth + plotWidth + 20;
const headHeight = 116;
const rowHeight = 44;
const radius = 7.5;
/** Discs that would lie on one another go to other lanes of their row. */
const lanes = [0, -14, 14] as const;

/**
 * The ratios of a document as an SVG: a row for each case, a disc for each peer, right of the line at 1 where Tercel is ahead. It takes its colours
 * from the reader's scheme, light or dark.
 */
export function renderPicture(document: BenchDocument): string {
  const cases = document.cases.filter((result) => marksOf(result).length > 0);
  const height = headHeight + cases.length * rowHeight + 34;
  const peers = peersIn(document);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">How often Tercel is better than its peers, case by case; commit ${escaped(document.commit)}, ${escaped(document.date)}</title>`,
    style,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    `<text class="head" x="16" y="26">How often Tercel is better: by CPU time for rates, else by the value</text>`,
    ...legend(peers),
    `<rect class="loss" x="${labelWidth}" y="${headHeight - 8}" width="${xOf(1) - labelWidth}" height="${cases.length * rowHeight + 8}"/>`,
    ...scale(cases.length),
    ...cases.flatMap((result, index) => row(result, headHeight + index * rowHeight + rowHeight / 2)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

const style = `<style>
  text { font: 12px ui-sans-serif, system-ui, "DejaVu Sans", sans-serif; fill: #1f2328; }
  .head { font-size: 15px; font-weight: 600; }
  .paper { fill: #ffffff; }
  .loss { fill: #cf222e; opacity: 0.08; }
  .line { stroke: #d1d9e0; }
  .one { stroke: #1f2328; stroke-width: 1.5; }
  .number { text-anchor: middle; fill: #59636e; }
  .name { text-anchor: end; font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 11px; }
  .letters { text-anchor: middle; fill: #ffffff; font-size: 9px; font-weight: 700; }
  .disc { stroke: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .paper { fill: #0d1117; }
    .loss { fill: #f85149; opacity: 0.16; }
    .line { stroke: #30363d; }
    .one { stroke: #e6edf3; }
    .number { fill: #9198a1; }
    .letters { fill: #ffffff; }
    .disc { stroke: #0d1117; }
  }
</style>`;

interface Mark {
  readonly peer: string;
  readonly ratio: number;
}

function marksOf(result: CaseResult): Mark[] {
  return Object.entries(result.peers).flatMap(([peer, figures]) => {
    const ratio = decidingRatio(result, figures);
    return ratio === undefined || ratio <= 0 ? [] : [{ peer, ratio }];
  });
}

function peersIn({ cases, versions }: BenchDocument): string[] {
  const found = new Set(cases.flatMap((result) => marksOf(result).map(({ peer }) => peer)));
  // As the versions list them, like the columns of the table.
  return Object.keys(versions).filter((name) => found.has(name));
}

function xOf(ratio: number): number {
  const power = Math.min(MOST_POWER, Math.max(LEAST_POWER, Math.log2(ratio)));
  return Math.round(labelWidth + ((power - LEAST_POWER) / (MOST_POWER - LEAST_POWER)) * plotWidth);
}

/** The widest letters of the legend's font are narrower than this. */
const letterWidth = 7;

function legend(peers: readonly string[]): string[] {
  let x = 24;
  return peers.flatMap((peer) => {
    const at = x;
    x += 34 + peer.length * letterWidth;
    return [...disc(peer, at, 52), `<text x="${at + 13}" y="56">${escaped(peer)}</text>`];
  });
}

function scale(rows: number): string[] {
  const top = headHeight - 8;
  const bottom = headHeight + rows * rowHeight;
  const sides = xOf(1);
  const lines = [
    `<text class="number" x="${(labelWidth + sides) / 2}" y="${top - 26}">the peer is ahead</text>`,
    `<text class="number" x="${(sides + labelWidth + plotWidth) / 2}" y="${top - 26}">Tercel is ahead</text>`,
  ];
  for (let power = LEAST_POWER; power <= MOST_POWER; power++) {
    const x = xOf(2 ** power);
    lines.push(`<line class="${power === 0 ? "one" : "line"}" x1="${x}" y1="${top}" x2="${x}" y2="${bottom}"/>`);
    for (const y of [top - 6, bottom + 18]) lines.push(`<text class="number" x="${x}" y="${y}">${2 ** power}</text>`);
  }
  return lines;
}

function row(result: CaseResult, y: number): string[] {
  const ends = lanes.map(() => Number.NEGATIVE_INFINITY);
  const discs = marksOf(result)
    .sort((a, b) => a.ratio - b.ratio)
    .flatMap(({ peer, ratio }) => {
      const x = xOf(ratio);
      const free = ends.findIndex((end) => x - end > 2 * radius);
      // In a row that is full the disc goes where the last one is farthest away.
      const lane = free === -1 ? ends.indexOf(Math.min(...ends)) : free;
      ends[lane] = x;
      const tip = `<title>${escaped(peer)}: ${ratio.toPrecision(3)}</title>`;
      return [`<g>${tip}${disc(peer, x, y + (lanes[lane] ?? 0)).join("")}</g>`];
    });
  return [`<text class="name" x="${labelWidth - 12}" y="${y + 4}">${escaped(result.name)}</text>`, ...discs];
}

function disc(peer: string, x: number, y: number): string[] {
  const { letters, color } = looks[peer] ?? otherLook;
  return [
    `<circle class="disc" cx="${x}" cy="${y}" r="${radius}" fill="${color}"/>`,
    `<text class="letters" x="${x}" y="${y + 3}">${letters}</text>`,
  ];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
