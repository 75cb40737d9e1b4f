/** Longest text of a peer's that is worth a line of a log. */
const maxCharacters = 256;

/**
 * A text from outside as it may stand in a log: at most 256 characters, with what could break a line, move a cursor or
 * reverse the reading direction as escapes.
 */
export function printable(text: string): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
  let shown = "";
  for (const character of cut) {
    shown += isHarmless(character) ? character : `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
    if (shown.length > maxCharacters) return `${shown.slice(0, maxCharacters - 1)}…`;
  }
  return shown;
}

/** Neither control (Cc), format such as direction marks (Cf), surrogate (Cs), nor line and paragraph separators (Zl, Zp). */
function isHarmless(character: string): boolean {
  return !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(character);
}
