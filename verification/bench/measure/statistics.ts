/** Returns the middle value, or the mean of the two in the middle. Throws for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("An empty list has no median.");
  return (lower + upper) / 2;
}

/** Returns the smallest value that `percent` of the values do not exceed. Throws for an empty list. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
  if (value === undefined) throw new RangeError("An empty list has no percentile.");
  return value;
}

/** Returns Tercel's factor to a peer. Above 1 always means that Tercel is better. */
export function advantage(tercel: number, peer: number, better: "higher" | "lower"): number {
  return better === "higher" ? tercel / peer : peer / tercel;
}
