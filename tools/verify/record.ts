// docs/last-verify.md: the last result of each check.

export interface CheckRecord {
  readonly name: string;
  /** Such as `2026-12-01`. */
  readonly date: string;
  readonly commit: string;
  readonly hasPassed: boolean;
  readonly minutes: number;
  /** The result in the output; empty if there is none. */
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

/** Returns the page with these records in the order of `names`, without records of other checks. */
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

/** Returns what `figure` finds in the output of a check, by default its last line, as the text of a cell. */
export function findFigure(output: string, figure?: RegExp): string {
  const found =
    figure === undefined
      ? [output.split("\n").findLast((line) => line.trim() !== "") ?? ""]
      : [...output.matchAll(figure)].map(([whole, group]) => group ?? whole);
  const text = found.map((one) => one.replace(/[\s|]+/g, " ").trim()).join("; ");
  return text.slice(0, maxFigureChars);
}
