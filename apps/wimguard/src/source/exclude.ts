/** Decides which paths a backup leaves out. */
export interface Excludes {
  /** @param path relative to the source, without a slash at the end */
  isExcluded(path: string, isFolder: boolean): boolean;
}

interface Pattern {
  /** Each name of the path has to match its own part; `**` stands for any number of names. */
  readonly names: readonly string[];
  readonly isNegated: boolean;
  readonly isFolderOnly: boolean;
}

/**
 * Compiles patterns as in .gitignore: the last one that matches decides, `!` takes a path back in, a slash at the end means folders
 * only, a slash elsewhere ties the pattern to the source's root. What is inside an excluded folder is excluded with it, which
 * callers ensure by not looking into it.
 */
export function createExcludes(patterns: readonly string[]): Excludes {
  const compiled = patterns.map(parsePattern).filter((pattern) => pattern !== undefined);
  return {
    isExcluded(path, isFolder) {
      const names = path.split("/");
      const last = compiled.findLast(
        (pattern) => (isFolder || !pattern.isFolderOnly) && matchNames(pattern.names, names),
      );
      return last !== undefined && !last.isNegated;
    },
  };
}

function parsePattern(line: string): Pattern | undefined {
  let text = withoutTrailingSpaces(line);
  if (text === "" || text.startsWith("#")) return undefined;
  const isNegated = text.startsWith("!");
  if (isNegated) text = text.slice(1);
  const isFolderOnly = text.endsWith("/");
  if (isFolderOnly) text = text.slice(0, -1);
  const isAnchored = text.includes("/");
  if (text.startsWith("/")) text = text.slice(1);
  if (text === "") return undefined;
  const names = text.split("/");
  return { names: isAnchored ? names : ["**", ...names], isNegated, isFolderOnly };
}

/** A backslash keeps the space after it. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === " " && line[end - 2] !== "\\") end--;
  return line.slice(0, end);
}

/** One row of a table at a time, so that no pattern takes more than its names times those of the path. */
function matchNames(pattern: readonly string[], names: readonly string[]): boolean {
  let row = Array.from({ length: names.length + 1 }, (_, at) => at === 0);
  for (const [index, part] of pattern.entries()) {
    const next = new Array<boolean>(names.length + 1).fill(false);
    const isLast = index === pattern.length - 1;
    if (part === "**") {
      // "a/**" matches what is inside of a, and not a itself.
      let isReached = false;
      for (let at = 0; at <= names.length; at++) {
        if (isLast && index > 0) {
          next[at] = isReached;
          isReached ||= row[at] as boolean;
        } else {
          isReached ||= row[at] as boolean;
          next[at] = isReached;
        }
      }
    } else {
      for (let at = 1; at <= names.length; at++) {
        next[at] = (row[at - 1] as boolean) && matchName(part, names[at - 1] as string);
      }
    }
    row = next;
  }
  return row[names.length] as boolean;
}

/** Wildcards in one name. After a mismatch, the last star takes one character more: linear in the product of the lengths. */
function matchName(pattern: string, name: string): boolean {
  let at = 0;
  let from = 0;
  let starAt = -1;
  let starFrom = 0;
  while (from < name.length) {
    const step = stepOf(pattern, at);
    if (step?.isStar === true) {
      starAt = at;
      starFrom = from;
      at = step.next;
    } else if (step?.matches(name[from] as string) === true) {
      at = step.next;
      from++;
    } else if (starAt >= 0) {
      at = starAt + 1;
      from = ++starFrom;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

interface Step {
  readonly next: number;
  readonly isStar: boolean;
  matches(character: string): boolean;
}

function stepOf(pattern: string, at: number): Step | undefined {
  const character = pattern[at];
  if (character === undefined) return undefined;
  if (character === "*") return { next: at + 1, isStar: true, matches: () => true };
  if (character === "?") return { next: at + 1, isStar: false, matches: () => true };
  if (character === "[") {
    const set = parseSet(pattern, at);
    if (set !== undefined) return set;
  }
  const isEscape = character === "\\" && at + 1 < pattern.length;
  const literal = isEscape ? pattern[at + 1] : character;
  return { next: at + (isEscape ? 2 : 1), isStar: false, matches: (other) => other === literal };
}

/** `[a-z]`, `[!a]`; undefined where the bracket is not closed and so is a character like any other. */
function parseSet(pattern: string, start: number): Step | undefined {
  let at = start + 1;
  const isNegated = pattern[at] === "!" || pattern[at] === "^";
  if (isNegated) at++;
  const ranges: [string, string][] = [];
  for (let isFirst = true; isFirst || pattern[at] !== "]"; isFirst = false) {
    if (pattern[at] === "\\") at++;
    const low = pattern[at];
    if (low === undefined) return undefined;
    const isRange = pattern[at + 1] === "-" && pattern[at + 2] !== undefined && pattern[at + 2] !== "]";
    ranges.push([low, isRange ? (pattern[at + 2] as string) : low]);
    at += isRange ? 3 : 1;
  }
  return {
    next: at + 1,
    isStar: false,
    matches: (character) => ranges.some(([low, high]) => low <= character && character <= high) !== isNegated,
  };
}
