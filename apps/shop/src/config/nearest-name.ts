/**
 * The known name closest to a misspelt one, or undefined when none is close enough to be meant: more than a third of the
 * letters would have to change.
 */
export function nearestName(misspelt: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let nearestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const allowed = Math.max(1, Math.floor(name.length / 3));
    // The length difference is a lower bound of the distance; it also keeps a very long argument from costing time.
    if (Math.abs(name.length - misspelt.length) > allowed) continue;
    const distance = editDistance(misspelt, name);
    if (distance <= allowed && distance < nearestDistance) {
      nearest = name;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** Levenshtein's distance: how many letters must be inserted, removed or replaced to turn one word into the other. */
function editDistance(from: string, to: string): number {
  let previousRow = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const currentRow = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previousRow[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const removed = (previousRow[column] ?? 0) + 1;
      const inserted = (currentRow[column - 1] ?? 0) + 1;
      currentRow.push(Math.min(replaced, removed, inserted));
    }
    previousRow = currentRow;
  }
  return previousRow[to.length] ?? 0;
}
