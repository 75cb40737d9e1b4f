// The rows of docs/specs. Each row names a test of its promise.

export interface SpecRow {
  readonly file: string;
  /** The name of the test, or a part of it. */
  readonly name: string;
}

/** A row whose second cell is a test file, and whose third cell is the name of a test in it. */
const row = /^\|[^|]*\| `([^`|]+\.test\.ts)` \| (.+?) \|$/gm;

export function readSpecRows(page: string): SpecRow[] {
  return [...page.matchAll(row)].map(([, file = "", name = ""]) => ({ file, name }));
}

/** Returns the problem of a test that a row names; undefined if the test exists and always runs. */
export function rowProblem({ file, name }: SpecRow, testFile: string | undefined): string | undefined {
  if (testFile === undefined) return `${file} does not exist`;
  const at = testFile.indexOf(name);
  if (at < 0) return `${file} has no test "${name}"`;
  const call = [...testFile.slice(0, at).matchAll(/\b(?:it|test|describe)(\.\w+)?\(/g)].at(-1)?.[1];
  const options = /^[^\n]*["'`],\s*\{([^}]*)\}/.exec(testFile.slice(at))?.[1] ?? "";
  if (call === ".skip" || call === ".todo" || /\b(skip|todo): (true|["'`])/.test(options)) {
    return `${file}: "${name}" is skipped`;
  }
  return undefined;
}
