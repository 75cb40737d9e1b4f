import type { PlainEntry } from "./config-entries.ts";
import type { ScalarValue } from "./config-node.ts";

/** A value that a reload has changed. */
export interface ConfigChange {
  readonly path: string;
  /** Undefined for a key that was not there; a secret is `•••`. */
  readonly before: ScalarValue | undefined;
  /** Undefined for a key that is not there any more. */
  readonly after: ScalarValue | undefined;
  /** It holds at once. Otherwise the service has to be restarted. */
  readonly isLive: boolean;
}

/** What differs between two configurations, by path. Secrets are compared but not shown. */
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
