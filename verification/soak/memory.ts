/** The memory of a process after a full garbage collection. */
export interface MemorySample {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Buffers outside the heap. */
  readonly externalBytes: number;
}

/** Needs `--expose-gc`. */
export function sampleMemory(): MemorySample {
  if (globalThis.gc === undefined) throw new Error("memory is sampled in processes with --expose-gc only");
  // Memory that a finalizer frees is collected the next time.
  for (let at = 0; at < 3; at++) globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed, externalBytes: external };
}

/** Returns how much `y` grows per `x`, by least squares. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  let covariance = 0;
  let variance = 0;
  for (const { x, y } of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
