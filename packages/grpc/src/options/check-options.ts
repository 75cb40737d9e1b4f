/**
 * Refuses options no one knows: a misspelt limit would otherwise leave the default in force without a word.
 *
 * @throws TypeError that names the option, the nearest known one, and all that are known
 */
export function refuseUnknownOptions(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const hint = nearest === undefined ? "." : `; did you mean "${nearest}"?`;
    throw new TypeError(`${where}: unknown option "${name}"${hint} Known options: ${known.join(", ")}.`);
  }
}

/** A known name of this length that the given one begins or ends with is the one that was meant: "certificate" is cert. */
const minContainedLength = 3;

/** The known name with the fewest edits, if they are few enough to be a slip; else one that continues the given name or is part of it. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const [given, other] = [name.toLowerCase(), candidate.toLowerCase()];
    const edits = editDistance(given.slice(0, 64), other);
    const contains = other.length >= minContainedLength && (given.startsWith(other) || given.endsWith(other));
    const related = edits < fewest || (best === undefined && (other.startsWith(given) || contains));
    if (!related) continue;
    best = candidate;
    fewest = Math.min(fewest, edits);
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitute = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}

/** @throws RangeError unless the option is absent or a whole number within the bounds, both included */
export function checkWholeNumber(
  where: string,
  name: string,
  value: number | undefined,
  min: number,
  max: number,
): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new RangeError(`${where}: ${name} is ${String(value)}; it has to be a whole number from ${min} to ${max}`);
}
