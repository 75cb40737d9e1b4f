/** Joins lines, or blocks of lines, and skips `false`. The result ends with a newline. */
export function joinLines(...lines: readonly (string | false)[]): string {
  return `${lines.filter((line) => line !== false).join("\n")}\n`;
}
