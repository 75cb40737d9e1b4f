/**
 * The form of a text that is compared when case does not count. SQLite's own LIKE and NOCASE know only the letters A to
 * Z, so folded copies are stored and searched instead. NFC makes "é" equal however it was typed.
 */
export function foldCase(text: string): string {
  return text.normalize("NFC").toLowerCase();
}
