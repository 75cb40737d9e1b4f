/**
 * Replaces the contents of strings, templates, regular expressions and comments of TypeScript by spaces. Positions do not change, so that
 * brackets and words found in the copy can be edited in the source. Quotes are kept.
 */
export function maskSource(source: string): string {
  const parts: string[] = [];
  /** The end of the preceding code, without trailing white space and comments. */
  let tail = "";
  let codeStart = 0;
  const endCode = (at: number): string => `${tail}${source.slice(Math.max(codeStart, at - tailLength), at)}`;
  for (let at = 0; at < source.length; ) {
    const end = endOfText(source, at, () => endCode(at));
    if (end === undefined) {
      at++;
      continue;
    }
    const masked = blank(source.slice(at, end));
    parts.push(source.slice(codeStart, at), masked);
    tail = `${endCode(at)}${masked.at(-1)}`.trimEnd().slice(-tailLength);
    at = end;
    codeStart = end;
  }
  return [...parts, source.slice(codeStart)].join("");
}

/** Length of the code before a slash that is needed to recognize a division. */
const tailLength = 40;

/** Returns the end of the comment or literal that begins here; undefined if none begins. */
function endOfText(source: string, at: number, before: () => string): number | undefined {
  const character = source[at];
  if (character === '"' || character === "'") return endOfString(source, at, character);
  if (character === "`") return endOfTemplate(source, at);
  if (character !== "/") return undefined;
  if (source[at + 1] === "/") return indexOrEnd(source, "\n", at);
  if (source[at + 1] === "*") return Math.min(source.length, indexOrEnd(source, "*/", at + 2) + 2);
  return beginsExpression(before()) ? endOfRegExp(source, at) : undefined;
}

function indexOrEnd(source: string, text: string, from: number): number {
  const found = source.indexOf(text, from);
  return found === -1 ? source.length : found;
}

function endOfString(source: string, from: number, quote: string): number {
  for (let at = from + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === quote || source[at] === "\n") return at + 1;
  }
  return source.length;
}

/** Returns the end of a template, whose expressions may contain templates. */
function endOfTemplate(source: string, from: number): number {
  let at = from + 1;
  while (at < source.length) {
    if (source[at] === "\\") at += 2;
    else if (source[at] === "`") return at + 1;
    else if (source.startsWith("${", at)) at = endOfExpression(source, at + 2);
    else at++;
  }
  return source.length;
}

function endOfExpression(source: string, from: number): number {
  let depth = 1;
  let at = from;
  while (at < source.length) {
    const end = endOfText(source, at, () => source.slice(Math.max(from, at - tailLength), at));
    if (end !== undefined) {
      at = end;
      continue;
    }
    if (source[at] === "{") depth++;
    if (source[at] === "}") depth--;
    at++;
    if (depth === 0) return at;
  }
  return source.length;
}

function endOfRegExp(source: string, from: number): number {
  let isInClass = false;
  for (let at = from + 1; at < source.length; at++) {
    const character = source[at];
    if (character === "\\") at++;
    else if (character === "\n") return at;
    else if (character === "[") isInClass = true;
    else if (character === "]") isInClass = false;
    else if (character === "/" && !isInClass) return at + 1;
  }
  return source.length;
}

const endOfOperand = /[\w$)\]"'`]$/;
const keywordBeforeExpression = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|await|yield|else)$/;

/** Whether a slash begins a regular expression: after a value it is a division. */
function beginsExpression(before: string): boolean {
  const line = before.trimEnd();
  return !endOfOperand.test(line) || keywordBeforeExpression.test(line);
}

function blank(text: string): string {
  const inner = text.replace(/[^\n]/g, " ");
  return /^["'`]/.test(text) ? text[0] + inner.slice(1, -1) + (text.length > 1 ? text[0] : "") : inner;
}
