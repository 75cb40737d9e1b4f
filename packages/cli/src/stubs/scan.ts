// Finds brackets and list elements in a masked source.

const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Returns the position of the bracket that closes the one at `open`; undefined if it is not closed. */
export function closeOf(masked: string, open: number): number | undefined {
  const expected: string[] = [];
  for (let at = open; at < masked.length; at++) {
    const character = masked[at] as string;
    const close = closing[character];
    if (close !== undefined) expected.push(close);
    else if (character === expected.at(-1)) {
      expected.pop();
      if (expected.length === 0) return at;
    } else if (character === ")" || character === "]" || character === "}") return undefined;
  }
  return undefined;
}

/** A range of a source: from its first character to the one after its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Splits a range at its commas outside of brackets. Skips empty elements, as after a trailing comma. */
export function splitList(masked: string, { start, end }: Span): Span[] {
  const parts: Span[] = [];
  let from = start;
  for (let at = start; at < end; at++) {
    const close = closing[masked[at] as string] === undefined ? undefined : closeOf(masked, at);
    if (close !== undefined) at = close;
    else if (masked[at] === ",") {
      parts.push({ start: from, end: at });
      from = at + 1;
    }
  }
  parts.push({ start: from, end });
  return parts.map((part) => trimmed(masked, part)).filter((part) => part.start < part.end);
}

/** Returns a range without surrounding white space and comments. */
export function trimmed(masked: string, { start, end }: Span): Span {
  const text = masked.slice(start, end);
  const first = start + (text.length - text.trimStart().length);
  return { start: first, end: Math.max(first, end - (text.length - text.trimEnd().length)) };
}
