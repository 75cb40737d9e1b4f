/** The number of slices: enough that old calls leave in small portions, and few enough to be summed up for each failure. */
const sliceCount = 10;

/** Counts the calls and failures of the last `windowMs`, with a resolution of a tenth. */
export class RollingWindow {
  private readonly sliceMs: number;
  private readonly calls = new Array<number>(sliceCount).fill(0);
  private readonly failures = new Array<number>(sliceCount).fill(0);
  /** The index of the current slice since time zero. */
  private current = 0;

  constructor(windowMs: number) {
    this.sliceMs = windowMs / sliceCount;
  }

  add(nowMs: number, isFailure: boolean): void {
    this.moveTo(nowMs);
    const at = this.current % sliceCount;
    this.calls[at] = (this.calls[at] as number) + 1;
    if (isFailure) this.failures[at] = (this.failures[at] as number) + 1;
  }

  totals(nowMs: number): { readonly calls: number; readonly failures: number } {
    this.moveTo(nowMs);
    return { calls: sum(this.calls), failures: sum(this.failures) };
  }

  clear(): void {
    this.calls.fill(0);
    this.failures.fill(0);
  }

  private moveTo(nowMs: number): void {
    const slice = Math.floor(nowMs / this.sliceMs);
    if (slice - this.current >= sliceCount) this.clear();
    else {
      for (let passed = this.current + 1; passed <= slice; passed++) {
        this.calls[passed % sliceCount] = 0;
        this.failures[passed % sliceCount] = 0;
      }
    }
    this.current = Math.max(this.current, slice);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
