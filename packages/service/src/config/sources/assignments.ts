import type { ConfigProblem } from "../config-problem.ts";
import type { ConfigPath } from "../document/config-node.ts";
import { pathText } from "../document/config-node.ts";
import type { Origin } from "../document/origin.ts";

/** A value from a variable or `--set`. */
export interface Assignment {
  readonly segments: readonly string[];
  readonly text: string;
  readonly origin: Origin;
  readonly notation: Notation;
}

/** The key syntax of variables or of `--set`. */
export interface Notation {
  /** Normalizes a key for comparison. */
  normalize(key: string): string;
  /** Formats a path, for suggestions: `TERCEL__SERVICE__PORT`. */
  write(path: ConfigPath): string;
  /** Whether a key that ends with `_FILE` may name a file with the value. */
  readonly takesFiles: boolean;
}

/** The default prefix of variables. */
export const defaultPrefix = "TERCEL";
const separator = "__";

/**
 * Returns the variables that set keys: `TERCEL__SERVICE__PORT=8080` is `service.port`. Two underscores separate keys, so that Kubernetes'
 * `TERCEL_SERVICE_HOST` is not one of them.
 */
export function variableAssignments(
  variables: Readonly<Record<string, string | undefined>>,
  prefix: string,
): Assignment[] {
  const start = `${prefix}${separator}`;
  const normalize = (key: string): string => key.toLowerCase().replaceAll("-", "_");
  const write = (path: ConfigPath): string => variableName(path, prefix);
  const assignments: Assignment[] = [];
  // Sorted, so that messages are deterministic.
  for (const name of Object.keys(variables).sort()) {
    const text = variables[name];
    if (!name.startsWith(start) || text === undefined) continue;
    assignments.push({
      segments: name.slice(start.length).split(separator),
      text,
      origin: { kind: "variable", name },
      notation: { normalize, write, takesFiles: true },
    });
  }
  return assignments;
}

/** Describes how to set a key without a file: `TERCEL__SERVICE__PORT or --set service.port=…`. */
export function waysToSet(path: string, prefix = defaultPrefix): string {
  return `${variableName(path.split("."), prefix)} or --set ${path}=…`;
}

function variableName(path: ConfigPath, prefix: string): string {
  return [prefix, ...path.map((step) => String(step).toUpperCase().replaceAll("-", "_"))].join(separator);
}

/** Parses `--set service.port=8080` options, in order. */
export function argumentAssignments(texts: readonly string[]): {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const assignments: Assignment[] = [];
  for (const text of texts) {
    const equals = text.indexOf("=");
    const key = equals === -1 ? text : text.slice(0, equals);
    const segments = key.split(".");
    // Shows only the key, because the value may be a secret.
    if (equals === -1 || segments.includes("")) {
      problems.push({ message: `invalid --set ${key}: expected KEY=VALUE, such as --set service.port=8080` });
      continue;
    }
    const notation: Notation = { normalize: (name) => name, write: pathText, takesFiles: false };
    assignments.push({ segments, text: text.slice(equals + 1), origin: { kind: "argument", text: key }, notation });
  }
  return { assignments, problems };
}
