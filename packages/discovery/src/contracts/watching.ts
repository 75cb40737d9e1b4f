import type { ServiceInstance } from "../port/instance.ts";
import type { Registry, ServiceSnapshot, WatchProblem } from "../port/registry.ts";

/** A watch for tests, which can wait for its snapshots and problems. */
export interface Watching {
  readonly snapshots: readonly ServiceSnapshot[];
  readonly problems: readonly WatchProblem[];
  /** Resolves with the newest snapshot when it satisfies `accept`, now or later. */
  until(accept: (snapshot: ServiceSnapshot) => boolean): Promise<ServiceSnapshot>;
  /** Resolves with the next problem that no call has returned yet. */
  problem(): Promise<WatchProblem>;
  readonly ageMs: number | undefined;
  close(): void;
}

export function watching(registry: Pick<Registry, "watch">, name: string): Watching {
  const snapshots: ServiceSnapshot[] = [];
  const problems: WatchProblem[] = [];
  let readProblems = 0;
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const wake of waiting) wake();
  };
  async function until<Found>(find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
      });
    }
  }
  const watch = registry.watch(name, {
    onSnapshot(snapshot) {
      snapshots.push(snapshot);
      changed();
    },
    onProblem(problem) {
      problems.push(problem);
      changed();
    },
  });
  return {
    snapshots,
    problems,
    until: (accept) =>
      until(() => {
        const last = snapshots.at(-1);
        return last !== undefined && accept(last) ? last : undefined;
      }),
    problem: () => until(() => problems[readProblems++] ?? void readProblems--),
    get ageMs() {
      return watch.ageMs;
    },
    close: () => watch.close(),
  };
}

export const idsOf = (instances: readonly ServiceInstance[]): string[] => instances.map(({ id }) => id).sort();

/** Accepts a snapshot with exactly these instances. */
export function hasIds(...ids: string[]): (snapshot: ServiceSnapshot) => boolean {
  return ({ instances }) => idsOf(instances).join() === ids.sort().join();
}
