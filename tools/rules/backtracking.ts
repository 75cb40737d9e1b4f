// Finds regular expressions that may take more than linear time, by their shape. It reports too many rather than too few. The test
// lists those that are harmless.

/** A part of a sequence: one character of a set, a group, or a position between characters. */
interface Part {
  readonly text: string;
  readonly kind: "character" | "group" | "place";
  readonly mayBeEmpty: boolean;
  readonly isUnbounded: boolean;
}

const opening = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/;
const quantifier = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/;

/** Returns why the time of a regular expression may grow faster than its input; undefined if it does not seem to. */
export function backtrackingRisk(pattern: string, flags: string): string | undefined {
  const isFixed = flags.includes("y") || pattern.startsWith("^");
  return riskWithin(pattern, flags, isFixed);
}

function riskWithin(pattern: string, flags: string, isFixed: boolean): string | undefined {
  for (const sequence of splitAlternatives(pattern)) {
    const parts = readParts(sequence);
    const [first] = parts;
    if (!isFixed && first?.isUnbounded === true && parts.length > 1) {
      return `${first.text} may begin anywhere, and is tried from each of its characters`;
    }
    let before: Part | undefined;
    for (const part of parts) {
      const body = part.kind === "group" ? bodyOf(part.text) : "";
      if (part.kind === "group" && part.isUnbounded && (splitAlternatives(body).length > 1 || hasUnbounded(body))) {
        return `${part.text} repeats what repeats or has a choice`;
      }
      const within = body === "" ? undefined : riskWithin(body, flags, true);
      if (within !== undefined) return within;
      const mayBeLong = part.isUnbounded || (part.kind === "group" && hasUnbounded(body));
      if (mayBeLong && before !== undefined && overlap(before, part, flags)) {
        return `${before.text} and ${part.text} may share characters in many ways`;
      }
      if (mayBeLong) before = part;
      // Only what the part before cannot take sets the next one's beginning.
      else if (!part.mayBeEmpty && before !== undefined && !overlap(before, part, flags)) before = undefined;
    }
  }
  return undefined;
}

function hasUnbounded(pattern: string): boolean {
  return splitAlternatives(pattern).some((sequence) =>
    readParts(sequence).some((part) => part.isUnbounded || (part.kind === "group" && hasUnbounded(bodyOf(part.text)))),
  );
}

/** Returns whether some Latin character matches both. */
function overlap(one: Part, other: Part, flags: string): boolean {
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    if (holds(one, character, flags) && holds(other, character, flags)) return true;
  }
  return false;
}

function holds(part: Part, character: string, flags: string): boolean {
  if (part.kind === "place") return false;
  if (part.kind === "character")
    return new RegExp(`^(?:${atomOf(part.text)})$`, flags.replace(/[gy]/g, "")).test(character);
  return splitAlternatives(bodyOf(part.text)).some((sequence) =>
    readParts(sequence).some((within) => holds(within, character, flags)),
  );
}

function splitAlternatives(pattern: string): string[] {
  const found: string[] = [];
  let from = 0;
  for (let at = 0; at < pattern.length; ) {
    if (pattern[at] === "|") {
      found.push(pattern.slice(from, at));
      from = ++at;
    } else at = atomEnd(pattern, at);
  }
  return [...found, pattern.slice(from)];
}

function readParts(sequence: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < sequence.length; ) {
    const end = atomEnd(sequence, at);
    const atom = sequence.slice(at, end);
    const [repeat = "", least, comma, most] = quantifier.exec(sequence.slice(end)) ?? [];
    const isPlace = /^(?:[$^]|\\[bB]|\(\?<?[=!])/.test(atom);
    parts.push({
      text: atom + repeat,
      kind: isPlace ? "place" : atom.startsWith("(") ? "group" : "character",
      mayBeEmpty: isPlace || /^[*?]/.test(repeat) || least === "0",
      isUnbounded: /^[*+]/.test(repeat) || (comma === "," && most === ""),
    });
    at = end + repeat.length;
  }
  return parts;
}

/** Returns the offset after the character, class, escape or group that begins at `at`. */
function atomEnd(pattern: string, at: number): number {
  if (pattern[at] === "\\")
    return /^\\[pP]\{/.test(pattern.slice(at)) ? pattern.indexOf("}", at) + 1 : escapeEnd(pattern, at);
  if (pattern[at] === "[") {
    let end = at + 1;
    while (end < pattern.length && pattern[end] !== "]") end += pattern[end] === "\\" ? 2 : 1;
    return end + 1;
  }
  if (pattern[at] !== "(") return at + 1;
  let end = at + (opening.exec(pattern.slice(at))?.[0].length ?? 1);
  while (end < pattern.length && pattern[end] !== ")") end = pattern[end] === "|" ? end + 1 : atomEnd(pattern, end);
  return end + 1;
}

function escapeEnd(pattern: string, at: number): number {
  const long = /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\})/.exec(pattern.slice(at));
  return at + (long?.[0].length ?? 2);
}

function atomOf(part: string): string {
  return part.slice(0, atomEnd(part, 0));
}

function bodyOf(group: string): string {
  const atom = atomOf(group);
  return atom.slice(opening.exec(atom)?.[0].length ?? 1, -1);
}
