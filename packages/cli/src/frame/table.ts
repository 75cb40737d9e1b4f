import { stripVTControlCharacters } from "node:util";

/** Formats rows in aligned columns, two spaces apart. The last column is not padded, so that lines have no trailing spaces. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = header.length === 0 ? rows : [header, ...rows];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => shownWidth(line[column] ?? ""))));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - shownWidth(cell))))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function shownWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}
