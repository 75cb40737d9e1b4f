// docs/last-verify.md: what came of each check when it was last run.

export interface CheckRecord {
  readonly name: string;
  /** Such as `2026-12-01`. */
  readonly date: string;
  readonly commit: string;
  readonly hasPassed: boolean;
  readonly minutes: number;
  /** What was measured; empty when nothing was found in the output. */
  readonly figure: string;
}

const head = `# The last run of each long check

\`npm run verify\` writes this page; [CONTRIBUTING.md](../CONTRIBUTING.md#checks) lists the checks. A commit that ends in \`+\` had changes that were
not committed.

| check | date | commit | result | minutes | figure |
|---|---|---|---|---|---|
`;
const row = /^\| (\S+) \| (\d{4}-\d\d-\d\d) \| (\S+) \| (passed|FAILED) \| ([\d.]+) \| (.*) \|$/gm;
const maxFigureChars = 160;

export function readRecords(page: string): CheckRecord[] {
  return [...page.matchAll(row)].map(([, name = "", date = "", commit = "", result, minutes, figure = ""]) => ({
    name,
    date,
    commit,
    hasPassed: result === "passed",
    minutes: Number(minutes),
    figure,
  }));
}

/** The page with these records in the order of `names`; those of checks that are gone are left out. */
export function formatRecords(records: readonly CheckRecord[], names: readonly string[]): string {
  const rows = names.flatMap((name) => {
    const found = records.findLast((record) => record.name === name);
    if (found === undefined) return [];
    const { date, commit, hasPassed, minutes, figure } = found;
    return [
      `| ${name} | ${date} | ${commit} | ${hasPassed ? "passed" : "FAILED"} | ${minutes.toFixed(1)} | ${figure} |`,
    ];
  });
  return `${head}${rows.join("\n")}\n`;
}

/** What `figure` finds in the output of a check, by default its last line, fit for a cell of the table. */
export function findFigure(output: string, figure?: RegExp): string {
  const found =
    figure === undefined
      ? [output.split("\n").findLast((line) => line.trim() !== "") ?? ""]
      : [...output.matchAll(figure)].map(([whole, group]) => group ?? whole);
  const text = found.map((one) => one.replace(/[\s|]+/g, " ").trim()).join("; ");
  return text.slice(0, maxFigureChars);
}
