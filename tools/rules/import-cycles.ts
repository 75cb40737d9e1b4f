/**
 * Finds the cycles of a graph of files: one shortest cycle for every group of files that all reach each other.
 * A cycle is a list of its files in order. The last one imports the first.
 */
export function findImportCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  return stronglyConnected(graph)
    .filter((group) => group.size > 1 || [...group].some((file) => graph.get(file)?.includes(file)))
    .map((group) => shortestCycle(graph, group));
}

/** Tarjan's algorithm with an explicit stack, so that a long chain of imports cannot exhaust the call stack. */
function stronglyConnected(graph: ReadonlyMap<string, readonly string[]>): Set<string>[] {
  const groups: Set<string>[] = [];
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();

  for (const root of graph.keys()) {
    if (order.has(root)) continue;
    const path: { file: string; next: number }[] = [];
    const enter = (file: string): void => {
      order.set(file, order.size);
      low.set(file, order.size - 1);
      open.push(file);
      isOpen.add(file);
      path.push({ file, next: 0 });
    };
    const lower = (file: string, value: number): void => {
      low.set(file, Math.min(low.get(file) ?? value, value));
    };
    enter(root);
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const target = graph.get(step.file)?.[step.next++];
      if (target !== undefined) {
        if (!order.has(target)) enter(target);
        else if (isOpen.has(target)) lower(step.file, order.get(target) ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) lower(parent.file, low.get(step.file) ?? 0);
      if (low.get(step.file) !== order.get(step.file)) continue;
      const group = new Set<string>();
      for (let file = open.pop(); file !== undefined; file = open.pop()) {
        isOpen.delete(file);
        group.add(file);
        if (file === step.file) break;
      }
      groups.push(group);
    }
  }
  return groups;
}

/** Returns a shortest cycle through the first file (by name) of a group whose members all reach each other. */
function shortestCycle(graph: ReadonlyMap<string, readonly string[]>, group: ReadonlySet<string>): string[] {
  const start = [...group].sort()[0] ?? "";
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const target of graph.get(file) ?? []) {
      if (target === start) {
        const cycle = [file];
        for (let at = file; at !== start; ) {
          at = cameFrom.get(at) ?? start;
          cycle.unshift(at);
        }
        return cycle;
      }
      if (group.has(target) && !cameFrom.has(target)) {
        cameFrom.set(target, file);
        queue.push(target);
      }
    }
  }
  return [start];
}
