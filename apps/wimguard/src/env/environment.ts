/** What someone who restores must know of the machine that was backed up. */
export interface Environment {
  readonly host: string;
  readonly os: string;
  /** A secret is `hmac:…`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Versions of programs, by their names. */
  readonly tools: Readonly<Record<string, string>>;
  readonly packages: readonly string[];
  readonly mounts: readonly string[];
  readonly users: readonly string[];
}

/** One thing that differs between two environments; empty text for what one of them does not have. */
export interface EnvironmentChange {
  readonly part: "variables" | "tools" | "packages" | "mounts" | "users";
  readonly key: string;
  readonly before: string;
  readonly after: string;
}

/** Compares two environments, part by part, in the order of the keys. */
export function diffEnvironments(before: Environment, after: Environment): EnvironmentChange[] {
  return [
    ...diffRecords("variables", before.variables, after.variables),
    ...diffRecords("tools", before.tools, after.tools),
    ...diffRecords("packages", toRecord(before.packages, " "), toRecord(after.packages, " ")),
    ...diffRecords("mounts", toRecord(before.mounts, " "), toRecord(after.mounts, " ")),
    ...diffRecords("users", toRecord(before.users, ":"), toRecord(after.users, ":")),
  ];
}

/** Lines by their first word. */
function toRecord(lines: readonly string[], separator: string): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(separator);
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function diffRecords(
  part: EnvironmentChange["part"],
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): EnvironmentChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys
    .filter((key) => before[key] !== after[key])
    .map((key) => ({ part, key, before: before[key] ?? "", after: after[key] ?? "" }));
}
