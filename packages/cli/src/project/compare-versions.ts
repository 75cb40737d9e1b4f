/** Whether a version such as `0.1.0` is older than another. A pre-release is older than its release. */
export function isOlder(version: string, other: string): boolean {
  const [a, b] = [partsOf(version), partsOf(other)];
  const difference = a.numbers.map((number, at) => number - (b.numbers[at] ?? 0)).find((each) => each !== 0) ?? 0;
  return difference < 0 || (difference === 0 && a.isPreRelease && !b.isPreRelease);
}

function partsOf(version: string): { readonly numbers: readonly number[]; readonly isPreRelease: boolean } {
  const [numbers = "", preRelease] = version.split("-");
  return { numbers: numbers.split(".").map(Number), isPreRelease: preRelease !== undefined };
}
