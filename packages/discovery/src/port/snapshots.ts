import { isSameInstance, type ServiceInstance } from "./instance.ts";
import type { Registry, ServiceSnapshot } from "./registry.ts";

/**
 * Returns the snapshots of a service as an async iterable. A slow reader gets only the newest one. Problems are not reported, apart from
 * the `ageMs` of a snapshot. Ends when the signal aborts or the loop is left.
 */
export async function* serviceSnapshots(
  registry: Pick<Registry, "watch">,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<ServiceSnapshot, void, undefined> {
  let latest: ServiceSnapshot | undefined;
  let reported: ReadonlyMap<string, ServiceInstance> | undefined;
  let wake: () => void = () => {};
  const watch = registry.watch(name, {
    onSnapshot(snapshot) {
      latest = snapshot;
      wake();
    },
    onProblem() {},
  });
  const onAbort = (): void => wake();
  signal?.addEventListener("abort", onAbort);
  try {
    while (signal?.aborted !== true) {
      if (latest !== undefined) {
        const snapshot = latest;
        latest = undefined;
        const now = new Map(snapshot.instances.map((instance) => [instance.id, instance]));
        // Compared with the last snapshot that was read, because others may have been skipped.
        const changes = changesSince(reported, now);
        reported = now;
        yield { ...snapshot, ...changes };
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    watch.close();
  }
}

function changesSince(
  reported: ReadonlyMap<string, ServiceInstance> | undefined,
  now: ReadonlyMap<string, ServiceInstance>,
): Pick<ServiceSnapshot, "added" | "changed" | "removed"> {
  const added: ServiceInstance[] = [];
  const changed: ServiceInstance[] = [];
  for (const [id, instance] of now) {
    const before = reported?.get(id);
    if (before === undefined) added.push(instance);
    else if (!isSameInstance(before, instance)) changed.push(instance);
  }
  const removed = reported === undefined ? [] : [...reported.values()].filter(({ id }) => !now.has(id));
  return { added, changed, removed };
}
