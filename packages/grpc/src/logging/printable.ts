/** The longest text of a peer that is logged as a field. */
const defaultMaxCharacters = 256;

/**
 * What a log or a terminal could take for more than text: control characters (Cc), halves of surrogate pairs (Cs), line and
 * paragraph separators (Zl, Zp), and format characters (Cf), such as marks that turn the reading direction; only the two
 * joiners U+200C and U+200D are left, which words of some languages and many emoji are written with.
 */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u;

/** Text from outside, made safe for a log: control characters are escaped, and it is cut to `maxCharacters`. */
export function printable(text: string, maxCharacters: number = defaultMaxCharacters): string {
  const isWhole = text.length <= maxCharacters;
  if (isWhole && !unprintable.test(text)) return text;
  let shown = "";
  for (const character of isWhole ? text : text.slice(0, maxCharacters)) {
    shown += unprintable.test(character) ? `\\u{${(character.codePointAt(0) as number).toString(16)}}` : character;
    if (shown.length > maxCharacters) return cut(shown, maxCharacters);
  }
  return isWhole ? shown : cut(shown, maxCharacters);
}

/** Ends in a mark that there was more, and never in half of a pair. */
function cut(text: string, maxCharacters: number): string {
  return `${text.slice(0, maxCharacters - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
