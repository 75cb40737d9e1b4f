/** The rate is that of the last seconds, so that it follows a disk that becomes slow. */
const windowMs = 5_000;
/** A shorter time says nothing. */
const minWindowMs = 500;

/** Measures how fast a count of bytes grows. */
export class ByteRate {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** Takes the count at a time, and returns the bytes per second; undefined until it can be told. */
  add(bytes: number, atMs: number): number | undefined {
    const samples = this.#samples;
    samples.push({ atMs, bytes });
    while (samples.length > 2 && atMs - (samples[0]?.atMs ?? 0) > windowMs) samples.shift();
    const first = samples[0];
    if (first === undefined || atMs - first.atMs < minWindowMs) return undefined;
    return ((bytes - first.bytes) * 1000) / (atMs - first.atMs);
  }
}
