import { closeOf, type Span, trimmed } from "./scan.ts";
import { importedPath, type SourceFile, withoutEnding } from "./source-file.ts";

/** An object literal in the code, including its braces. */
export interface FoundObject {
  readonly file: SourceFile;
  readonly span: Span;
}

/** Limit on the names that are followed from one to the next. */
const maxSteps = 8;

/**
 * Finds the object literal of an expression: in place, in a constant, or returned by a function, in this file or another one.
 *
 * @returns undefined if it is ambiguous: two constants of the name, several returns, a class
 */
export function findObject(
  file: SourceFile,
  expression: Span,
  files: readonly SourceFile[],
  steps = maxSteps,
): FoundObject | undefined {
  const span = trimmed(file.masked, expression);
  const text = file.masked.slice(span.start, span.end);
  if (steps === 0) return undefined;
  if (text.startsWith("{")) return objectAt(file, span.start);
  if (text.startsWith("(")) {
    const close = closeOf(file.masked, span.start);
    return close === undefined ? undefined : findObject(file, { start: span.start + 1, end: close }, files, steps - 1);
  }
  const awaited = text.replace(/^await\s+/, "");
  const name = /^[A-Za-z_$][\w$]*/.exec(awaited)?.[0];
  if (name === undefined) return undefined;
  const isCall = awaited.slice(name.length).trimStart().startsWith("(");
  if (!isCall && awaited !== name) return undefined;
  const declared = findDeclaration(file, name, files);
  if (declared === undefined) return undefined;
  if (isCall) return returnedObject(declared, files, steps - 1);
  if (declared.value === undefined) return undefined;
  return findObject(declared.file, declared.value, files, steps - 1);
}

function objectAt(file: SourceFile, open: number): FoundObject | undefined {
  const close = closeOf(file.masked, open);
  return close === undefined ? undefined : { file, span: { start: open, end: close + 1 } };
}

/** The declaration of a name: a constant or a function. */
interface Declaration {
  readonly file: SourceFile;
  /** For a constant: the expression. */
  readonly value?: Span;
  /** For a function: the text from its name to its end. */
  readonly body?: Span;
}

function findDeclaration(file: SourceFile, name: string, files: readonly SourceFile[]): Declaration | undefined {
  const imported = file.imports.get(name);
  if (imported !== undefined) {
    const path = importedPath(file, imported.from);
    const other = files.find((each) => withoutEnding(each.path) === path);
    return other === undefined || other === file ? undefined : findDeclaration(other, imported.name, files);
  }
  const pattern = new RegExp(
    `(?:^|[^\\w$.])(const|let|var|function\\*?)\\s+${name.replaceAll("$", "\\$")}(?![\\w$])`,
    "g",
  );
  const [found, second] = [...file.masked.matchAll(pattern)];
  if (found === undefined || second !== undefined) return undefined;
  const end = found.index + found[0].length;
  if (found[1]?.startsWith("function")) {
    const body = functionBody(file.masked, end);
    return body === undefined ? undefined : { file, body };
  }
  const value = valueAfter(file.masked, end);
  return value === undefined ? undefined : { file, value };
}

/** Returns the expression after the `=` of a constant, which may have a type annotation. */
function valueAfter(masked: string, from: number): Span | undefined {
  for (let at = from; at < masked.length; at++) {
    const character = masked[at] as string;
    if (character === ";") return undefined;
    if ("([{".includes(character)) at = closeOf(masked, at) ?? masked.length;
    // Not an arrow in a function type and not a comparison.
    else if (character === "=" && masked[at + 1] !== ">" && masked[at + 1] !== "=") {
      return { start: at + 1, end: endOfValue(masked, at + 1) };
    }
  }
  return undefined;
}

/** Returns the end of an expression: the semicolon, else the end of the line. */
function endOfValue(masked: string, from: number): number {
  for (let at = from; at < masked.length; at++) {
    const character = masked[at] as string;
    if ("([{".includes(character)) at = closeOf(masked, at) ?? masked.length;
    else if (character === ";" || character === ")" || character === "}") return at;
    else if (character === "\n" && masked.slice(from, at).trim() !== "" && !/^\s*[.?:&|]/.test(masked.slice(at)))
      return at;
  }
  return masked.length;
}

/** Returns the body of a function, after its parameters and return type. */
function functionBody(masked: string, from: number): Span | undefined {
  const parameters = masked.indexOf("(", from);
  const end = parameters === -1 ? undefined : closeOf(masked, parameters);
  if (end === undefined) return undefined;
  // A return type may contain braces too: the body is the last pair before the next statement.
  let open = masked.indexOf("{", end);
  for (;;) {
    const close = open === -1 ? undefined : closeOf(masked, open);
    if (close === undefined) return undefined;
    const next = masked[skipBlanks(masked, close + 1)];
    if (next !== "{" && next !== "|") return { start: open, end: close + 1 };
    open = masked.indexOf("{", close + 1);
  }
}

function skipBlanks(masked: string, from: number): number {
  let at = from;
  while (masked[at] === " " || masked[at] === "\t") at++;
  return at;
}

/** Returns the object that a function returns, if it has a single return. */
function returnedObject(
  { file, value, body }: Declaration,
  files: readonly SourceFile[],
  steps: number,
): FoundObject | undefined {
  if (body !== undefined) return returnOf(file, body, files, steps);
  if (value === undefined) return undefined;
  const { masked } = file;
  const { start, end } = trimmed(masked, value);
  const isAsync = /^async[\s(]/.test(masked.slice(start, start + "async(".length));
  const parameters = isAsync ? trimmed(masked, { start: start + "async".length, end }).start : start;
  const afterParameters =
    masked[parameters] === "(" ? (closeOf(masked, parameters) ?? end) : endOfName(masked, parameters);
  if (afterParameters === undefined) return undefined;
  const at = masked.indexOf("=>", afterParameters);
  if (at === -1 || at >= end) return undefined;
  const result = trimmed(masked, { start: at + 2, end });
  if (masked[result.start] !== "{") return findObject(file, result, files, steps);
  return returnOf(file, result, files, steps);
}

/** Returns the end of the only parameter of an arrow function without parentheses; undefined for anything else. */
function endOfName(masked: string, from: number): number | undefined {
  const name = /^[\w$]+/.exec(masked.slice(from, from + 200))?.[0] ?? "";
  const next = skipBlanks(masked, from + name.length);
  return name !== "" && masked.startsWith("=>", next) ? next : undefined;
}

/** Finds the single return of a function, ignoring nested functions. */
function returnOf(file: SourceFile, body: Span, files: readonly SourceFile[], steps: number): FoundObject | undefined {
  const { masked } = file;
  const found: number[] = [];
  for (let at = body.start + 1; at < body.end; at++) {
    if ("([{".includes(masked[at] as string)) {
      // A return in a nested block, such as that of an if, is a second return.
      const close = closeOf(masked, at) ?? body.end;
      if (masked[at] === "{" && isBlock(masked, at) && /[^\w$.]return[^\w$]/.test(masked.slice(at, close)))
        return undefined;
      at = close;
    } else if (/^return(?![\w$])/.test(masked.slice(at, at + 7)) && !/[\w$.]/.test(masked[at - 1] ?? " ")) {
      found.push(at + "return".length);
    }
  }
  const [only, second] = found;
  if (only === undefined || second !== undefined) return undefined;
  return findObject(file, { start: only, end: endOfValue(masked, only) }, files, steps);
}

/** Whether braces belong to if, for, try and the like, not to an object or a function. */
function isBlock(masked: string, open: number): boolean {
  const before = masked.slice(0, open).trimEnd();
  if (/(?:^|[^\w$])(?:else|try|finally|do)$/.test(before)) return true;
  if (!before.endsWith(")")) return false;
  let depth = 0;
  for (let at = before.length - 1; at >= 0; at--) {
    if (before[at] === ")") depth++;
    if (before[at] === "(") depth--;
    if (depth === 0) {
      const head = before
        .slice(0, at)
        .trimEnd()
        .replace(/\bawait$/, "")
        .trimEnd();
      return /(?:^|[^\w$.])(?:if|for|while|switch|catch|with)$/.test(head.slice(-10));
    }
  }
  return false;
}
