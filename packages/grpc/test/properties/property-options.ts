/** A fixed seed, so that a change is judged by the same cases each time. A failure prints it with the path to its smallest case. */
const seed = 20_260_614;

export function propertyOptions(numRuns: number): { seed: number; numRuns: number } {
  return { seed, numRuns };
}
