/** Removes terminal control characters from untrusted text, such as a server's names and messages. Keeps newlines and tabs. */
export function terminalText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern matches them
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}
