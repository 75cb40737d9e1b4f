import type { ConfigProblem } from "../config-problem.ts";
import type { ConfigPath } from "../document/config-node.ts";
import { pathText } from "../document/config-node.ts";
import type { Origin } from "../document/origin.ts";

/** One value from outside of the files: a variable or a `--set`. */
export interface Assignment {
  readonly segments: readonly string[];
  readonly text: string;
  readonly origin: Origin;
  readonly notation: Notation;
}

/** How a kind of assignment writes keys. */
export interface Notation {
  /** Two keys are the same when this makes the same of them. */
  normalize(key: string): string;
  /** The assignment's own way to write a path, for advice: `TERCEL__SERVICE__PORT`. */
  write(path: ConfigPath): string;
  /** Whether a key that ends with `_FILE` may name a file that holds the value. */
  readonly takesFiles: boolean;
}

/** What variables of a program that says nothing about it begin with. */
export const defaultPrefix = "TERCEL";
const separator = "__";

/**
 * The variables that set keys: `TERCEL__SERVICE__PORT=8080` is `service.port`. Two underscores part the keys, so that a variable like
 * Kubernetes' `TERCEL_SERVICE_HOST` is none of them.
 */
export function variableAssignments(
  variables: Readonly<Record<string, string | undefined>>,
  prefix: string,
): Assignment[] {
  const start = `${prefix}${separator}`;
  const normalize = (key: string): string => key.toLowerCase().replaceAll("-", "_");
  const write = (path: ConfigPath): string => variableName(path, prefix);
  const assignments: Assignment[] = [];
  // Sorted, so that messages do not depend on the order of the environment.
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

/** How to change a key without a file: `TERCEL__SERVICE__PORT or --set service.port=…`. */
export function waysToSet(path: string, prefix = defaultPrefix): string {
  return `${variableName(path.split("."), prefix)} or --set ${path}=…`;
}

function variableName(path: ConfigPath, prefix: string): string {
  return [prefix, ...path.map((step) => String(step).toUpperCase().replaceAll("-", "_"))].join(separator);
}

/** The values of `--set service.port=8080`, in their order. */
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
    // The value may be a secret: only the key is shown.
    if (equals === -1 || segments.includes("")) {
      problems.push({ message: `--set ${key}: write a key, = and a value, such as --set service.port=8080` });
      continue;
    }
    const notation: Notation = { normalize: (name) => name, write: pathText, takesFiles: false };
    assignments.push({ segments, text: text.slice(equals + 1), origin: { kind: "argument", text: key }, notation });
  }
  return { assignments, problems };
}
