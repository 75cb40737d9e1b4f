/** The middle value, or the mean of the two in the middle. Throws on an empty list, which has none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("An empty list has no median.");
  return (lower + upper) / 2;
}

/** How often Tercel is better than a peer: above 1 always means that Tercel is. */
export function advantage(tercel: number, peer: number, better: "higher" | "lower"): number {
  return better === "higher" ? tercel / peer : peer / tercel;
}
