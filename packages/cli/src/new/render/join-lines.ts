/** Lines of a file, or several at once; what is false is left out. Ends with a newline. */
export function joinLines(...lines: readonly (string | false)[]): string {
  return `${lines.filter((line) => line !== false).join("\n")}\n`;
}
