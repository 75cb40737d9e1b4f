import type { BenchDocument } from "../report/document.ts";
import { findLosses } from "../report/losses.ts";
import { renderCases, renderConditions } from "../report/markdown.ts";
import { isReadmeCase, LIMITS } from "./recipe.ts";

/** The README's part: the table of the cases that say most, and how it was made. */
export function readmeBlock(document: BenchDocument): string {
  const losses = findLosses(document, LIMITS);
  const lost = new Set(losses.map(({ name }) => name)).size;
  const shown = { ...document, cases: document.cases.filter(isReadmeCase) };
  return [
    "One run of `npm run bench -- publish`. A ratio above 1 means that Tercel is better. The ratio in brackets compares the CPU time of a call, message",
    "or megabyte. A cell is empty if the peer does not have the case. `canned` is not a framework, but the [limit](verification/bench/README.md#peers) of any.",
    "",
    renderCases(shown),
    renderConditions(shown),
    "",
    `[All ${document.cases.length} cases, a picture of them](docs/benchmarks.md#figures), and [where Tercel loses](docs/benchmarks.md#where-tercel-loses): in ${lost} of them to at least one peer.`,
  ].join("\n");
}

/** The part of docs/benchmarks.md: the picture, every case, and where peers are ahead. */
export function pageBlock(document: BenchDocument): string {
  return [
    "![How often Tercel is better than each peer, case by case](benchmarks.svg)",
    "",
    renderCases(document),
    renderConditions(document),
    "",
    "### Where Tercel loses",
    "",
    ...lossLines(document),
  ].join("\n");
}

function lossLines(document: BenchDocument): string[] {
  const losses = findLosses(document, LIMITS);
  if (losses.length === 0) return ["In no case of this run."];
  const byCase = Map.groupBy(losses, ({ name }) => name);
  const rows = [...byCase].map(([name, ahead]) => {
    const peers = ahead.map(({ peer, ratio }) => `${peer} ${ratio.toFixed(2)}`).join(", ");
    return `| \`${name}\` | ${peers} |`;
  });
  return [
    "Peers that are ahead, with their ratios, farthest first. Rates are compared by CPU time, times and sizes by their value.",
    "",
    "| case | ahead of Tercel |",
    "| --- | --- |",
    ...rows,
  ];
}

/**
 * Puts a block between the page's two comments of that name.
 *
 * @throws Error when the page does not have both
 */
export function withBlock(page: string, name: string, block: string): string {
  const [begins, ends] = [`<!-- ${name}: npm run bench -- publish writes this -->`, `<!-- /${name} -->`];
  const start = page.indexOf(begins);
  const end = page.indexOf(ends);
  if (start === -1 || end < start) throw new Error(`the page has no part between ${begins} and ${ends}`);
  return `${page.slice(0, start)}${begins}\n${block}\n${page.slice(end)}`;
}
