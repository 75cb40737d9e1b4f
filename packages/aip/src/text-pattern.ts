/** A text with wildcards, as the pieces between them. A text without wildcards is a single piece. */
export interface TextPattern {
  readonly pieces: readonly string[];
}

/** Parses a pattern: `*` is a wildcard, `\*` a literal star, and `\\` a backslash. */
export function readPattern(text: string): TextPattern {
  const pieces: string[] = [];
  let piece = "";
  for (let at = 0; at < text.length; at++) {
    const next = text[at] as string;
    if (next === "*") {
      pieces.push(piece);
      piece = "";
    } else if (next === "\\") {
      at += 1;
      piece += text[at] ?? "";
    } else {
      piece += next;
    }
  }
  return { pieces: [...pieces, piece] };
}

/** Searches each piece once, after the previous one, so that the time is at most the text's length for each piece. */
export function matchesPattern({ pieces }: TextPattern, text: string): boolean {
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return text === first;
  const last = pieces.at(-1) ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** Returns the pattern for SQL's LIKE, with `\` as the escape character. */
export function toLikePattern({ pieces }: TextPattern): string {
  return pieces.map((piece) => piece.replace(/[\\%_]/g, "\\$&")).join("%");
}
