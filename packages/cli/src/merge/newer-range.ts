const caretRange = /^\^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/;

/**
 * Returns the newer of two ranges such as `^2.17.0` and `^2.18.1`, which lies within the older one. Undefined if they do not overlap or have
 * another form.
 */
export function newerRange(one: unknown, other: unknown): string | undefined {
  if (typeof one !== "string" || typeof other !== "string") return undefined;
  const [a, b] = [numbersOf(one), numbersOf(other)];
  if (a === undefined || b === undefined) return undefined;
  // A caret allows changes that keep the first non-zero number (npm's semver).
  const fixed = a.findIndex((number) => number > 0);
  const kept = fixed === -1 ? a.length : fixed + 1;
  if (a.slice(0, kept).some((number, at) => number !== b[at])) return undefined;
  const difference = a.map((number, at) => number - (b[at] ?? 0)).find((each) => each !== 0) ?? 0;
  return difference >= 0 ? one : other;
}

function numbersOf(range: string): readonly number[] | undefined {
  const found = caretRange.exec(range);
  return found === null ? undefined : found.slice(1).map(Number);
}
