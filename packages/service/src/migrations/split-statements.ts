/**
 * Splits PostgreSQL's SQL into statements, because several in one message would run in one transaction. Ignores semicolons in quotes, dollar quotes and
 * comments (PostgreSQL, §4.1). Skips empty statements.
 */
export function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let hasContent = false;
  for (let at = 0; at < text.length; ) {
    const end = skipToken(text, at);
    const isEnd = text[at] === ";";
    const isComment = text.startsWith("--", at) || text.startsWith("/*", at);
    if (isEnd) {
      if (hasContent) statements.push(text.slice(start, at).trim());
      start = end;
      hasContent = false;
    } else if (!isComment && !/\s/.test(text[at] as string)) {
      hasContent = true;
    }
    at = end;
  }
  if (hasContent) statements.push(text.slice(start).trim());
  return statements;
}

/** Returns the end of the token that begins here. */
function skipToken(text: string, at: number): number {
  if (text.startsWith("--", at)) return endAfter(text, "\n", at + 2);
  if (text.startsWith("/*", at)) return skipComment(text, at);
  const character = text[at];
  if (character === '"') return skipQuoted(text, at + 1, '"', false);
  if (character === "'")
    return skipQuoted(text, at + 1, "'", /^(?:[^\w$])?e$/i.test(text.slice(Math.max(0, at - 2), at)));
  if (character === "$" && !/[\w$]/.test(text.charAt(at - 1))) {
    const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(text.slice(at, at + 66))?.[0];
    if (tag !== undefined) return endAfter(text, tag, at + tag.length);
  }
  return at + 1;
}

function endAfter(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found === -1 ? text.length : found + end.length;
}

/** Returns the end of a quoted text. A doubled quote is part of it, as is one after a backslash in an escape string. */
function skipQuoted(text: string, from: number, quote: string, hasEscapes: boolean): number {
  for (let at = from; at < text.length; at++) {
    if (hasEscapes && text[at] === "\\") at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return text.length;
}

/** Returns the end of a comment; comments nest. */
function skipComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith("/*", at)) {
      depth++;
      at++;
    } else if (text.startsWith("*/", at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}
