// A minimal scanner for import declarations in TypeScript. It finds the ends of comments, strings, templates and
// regular expressions, so that the word `import` inside them is not taken for code. It does not parse the grammar.

export type TokenKind = "word" | "string" | "template" | "number" | "regex" | "punctuator";

export interface Token {
  readonly kind: TokenKind;
  /** The text in the source. For strings and templates without substitutions, the text between the quotes. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

const wordStart = /[\p{ID_Start}$_#]/u;
const wordPart = /[\p{ID_Continue}$\u200c\u200d]/u;

/** After these words, a slash begins a regular expression. After other words, it is a division. */
const wordsBeforeExpression = new Set(
  "return typeof case in of do else void delete throw new instanceof await yield extends default".split(" "),
);
const wordsBeforeCondition = new Set(["if", "while", "for", "with"]);

/** Splits TypeScript or JavaScript source into tokens. Never fails: an unterminated string ends with its line. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open "(": whether it contains the condition of a statement, so that a slash after ")" begins a regular expression. */
  const openParentheses: boolean[] = [];
  let closedCondition = false;
  /** For each open "{": whether it belongs to a template's "${". */
  const openBraces: boolean[] = [];
  let line = 1;
  let at = 0;

  const push = (kind: TokenKind, text: string, onLine = line): void => {
    tokens.push({ kind, text, line: onLine });
  };

  const slashOpensRegex = (): boolean => {
    const last = tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === "word") return wordsBeforeExpression.has(last.text);
    if (last.kind !== "punctuator") return false;
    if (last.text === ")") return closedCondition;
    return last.text !== "]";
  };

  /** Returns the offset after a regular expression that begins at `start`, or -1 if its line ends first. */
  const regexEnd = (start: number): number => {
    let inClass = false;
    for (let i = start + 1; i < source.length; i++) {
      const c = source[i];
      if (c === "\n") return -1;
      if (c === "\\") i++;
      else if (c === "[") inClass = true;
      else if (c === "]") inClass = false;
      else if (c === "/" && !inClass) {
        i++;
        while (i < source.length && wordPart.test(source[i] ?? "")) i++;
        return i;
      }
    }
    return -1;
  };

  const readString = (quote: string): void => {
    const start = ++at;
    while (at < source.length && source[at] !== quote && source[at] !== "\n") {
      if (source[at] === "\\") {
        at++;
        if (source[at] === "\n") line++;
      }
      at++;
    }
    push("string", source.slice(start, at));
    if (source[at] === quote) at++;
  };

  /** Reads template text up to the closing quote or the next "${"; `at` is the offset after the opening quote or brace. */
  const readTemplate = (isWholeSoFar: boolean): void => {
    const start = at;
    const startLine = line;
    while (at < source.length && source[at] !== "`") {
      if (source[at] === "$" && source[at + 1] === "{") {
        openBraces.push(true);
        at += 2;
        push("punctuator", "${", startLine);
        return;
      }
      if (source[at] === "\\") at++;
      if (source[at] === "\n") line++;
      at++;
    }
    const text = source.slice(start, at);
    at++;
    if (isWholeSoFar) push("template", text, startLine);
    else push("punctuator", "}`");
  };

  if (source.startsWith("#!")) at = source.indexOf("\n") < 0 ? source.length : source.indexOf("\n");

  while (at < source.length) {
    const c = source[at] ?? "";
    if (c === "\n") {
      line++;
      at++;
    } else if (c === " " || c === "\t" || c === "\r") {
      at++;
    } else if (c === "/" && source[at + 1] === "/") {
      while (at < source.length && source[at] !== "\n") at++;
    } else if (c === "/" && source[at + 1] === "*") {
      const close = source.indexOf("*/", at + 2);
      const end = close < 0 ? source.length : close + 2;
      for (; at < end; at++) if (source[at] === "\n") line++;
    } else if (c === '"' || c === "'") {
      readString(c);
    } else if (c === "`") {
      at++;
      readTemplate(true);
    } else if (c === "/" && slashOpensRegex() && regexEnd(at) >= 0) {
      const end = regexEnd(at);
      push("regex", source.slice(at, end));
      at = end;
    } else if (wordStart.test(c)) {
      const start = at++;
      while (at < source.length && wordPart.test(source[at] ?? "")) at++;
      push("word", source.slice(start, at));
    } else if (c >= "0" && c <= "9") {
      const start = at++;
      while (at < source.length && /[\w.]/.test(source[at] ?? "")) at++;
      push("number", source.slice(start, at));
    } else {
      at++;
      if (c === "(") {
        const last = tokens.at(-1);
        openParentheses.push(last?.kind === "word" && wordsBeforeCondition.has(last.text));
      } else if (c === ")") {
        closedCondition = openParentheses.pop() ?? false;
      } else if (c === "{") {
        openBraces.push(false);
      } else if (c === "}" && openBraces.pop()) {
        readTemplate(false);
        continue;
      }
      push("punctuator", c);
    }
  }
  return tokens;
}
