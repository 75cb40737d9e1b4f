const word = /[A-Za-z]+/y;

/** Returns the first word of a statement in upper case, after white space and comments; empty if there is none. */
export function firstWord(text: string): string {
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text.charAt(at))) at++;
    const end = text.startsWith("--", at) ? "\n" : text.startsWith("/*", at) ? "*/" : undefined;
    if (end === undefined) break;
    const found = text.indexOf(end, at + 2);
    if (found === -1) return "";
    at = found + end.length;
  }
  word.lastIndex = at;
  return word.exec(text)?.[0].toUpperCase() ?? "";
}
