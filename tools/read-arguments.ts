/**
 * Splits the arguments of a call in TypeScript source at their commas. `at` is the offset after the opening parenthesis. Returns undefined if
 * the call has no end. It handles strings, templates and brackets, but not regular expressions.
 */
export function readArguments(source: string, at: number): string[] | undefined {
  const found: string[] = [];
  let start = at;
  let depth = 0;
  const add = (end: number): void => {
    const text = source.slice(start, end).trim();
    // A trailing comma is not an argument.
    if (text !== "") found.push(text);
    start = end + 1;
  };
  for (let i = at; i < source.length; i++) {
    const c = source[i] as string;
    if (c === '"' || c === "'" || c === "`") i = endOfLiteral(source, i);
    else if (c === "(" || c === "[" || c === "{") depth += 1;
    else if (c === ")" && depth === 0) {
      add(i);
      return found;
    } else if (c === ")" || c === "]" || c === "}") depth -= 1;
    else if (c === "," && depth === 0) add(i);
  }
  return undefined;
}

/** Returns the offset of the quote that ends the string or template at `from`. */
export function endOfLiteral(source: string, from: number): number {
  return source[from] === "`" ? endOfTemplate(source, from) : endOfString(source, from);
}

function endOfString(source: string, from: number): number {
  for (let i = from + 1; i < source.length; i++) {
    if (source[i] === "\\") i += 1;
    else if (source[i] === source[from]) return i;
  }
  return source.length;
}

function endOfTemplate(source: string, from: number): number {
  for (let i = from + 1; i < source.length; i++) {
    if (source[i] === "\\") i += 1;
    else if (source[i] === "`") return i;
    else if (source[i] === "$" && source[i + 1] === "{") i = endOfFilling(source, i + 1);
  }
  return source.length;
}

/** `from` is the offset of the opening brace of `${`. */
function endOfFilling(source: string, from: number): number {
  let depth = 0;
  for (let i = from; i < source.length; i++) {
    const c = source[i];
    if (c === '"' || c === "'" || c === "`") i = endOfLiteral(source, i);
    else if (c === "{") depth += 1;
    else if (c === "}" && --depth === 0) return i;
  }
  return source.length;
}
