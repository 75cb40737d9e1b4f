import type { PlainEntry } from "./config-entries.ts";
import type { ScalarValue } from "./config-node.ts";

/** A value that a reload changed. */
export interface ConfigChange {
  readonly path: string;
  /** Undefined for a new key; a secret is `•••`. */
  readonly before: ScalarValue | undefined;
  /** Undefined for a removed key. */
  readonly after: ScalarValue | undefined;
  /** Whether it takes effect at once; otherwise the service must be restarted. */
  readonly isLive: boolean;
}

/** Returns the differences between two configurations by path. Secrets are compared but not shown. */
export function findChanges(before: readonly PlainEntry[], after: readonly PlainEntry[]): ConfigChange[] {
  const earlier = new Map(before.map((entry) => [entry.shown.path, entry]));
  const later = new Map(after.map((entry) => [entry.shown.path, entry]));
  const changes: ConfigChange[] = [];
  for (const path of new Set([...later.keys(), ...earlier.keys()])) {
    const [a, b] = [earlier.get(path), later.get(path)];
    if (a?.value === b?.value) continue;
    const isLive = (a ?? b)?.shown.isLive === true && (b ?? a)?.shown.isLive === true;
    changes.push({ path, before: a?.shown.value, after: b?.shown.value, isLive });
  }
  return changes;
}
