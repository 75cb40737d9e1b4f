/** What the start order depends on. */
export interface Ordered {
  readonly name: string;
  /** Names of services that should be there first. Those that are not among the services are somewhere else. */
  readonly dependencies: readonly string[];
}

/**
 * The services that each waits for, by name. Where services depend on each other in a circle, the one that is listed first does not wait
 * for those that lead back to it: its own health tells what it is missing.
 */
export function startOrder(services: readonly Ordered[]): ReadonlyMap<string, readonly string[]> {
  const byName = new Map(services.map((service) => [service.name, service]));
  const waits = new Map<string, readonly string[]>();
  const open = new Set<string>();
  const visit = (service: Ordered): void => {
    if (waits.has(service.name) || open.has(service.name)) return;
    open.add(service.name);
    const waited: string[] = [];
    for (const name of service.dependencies) {
      const dependency = byName.get(name);
      if (dependency === undefined || open.has(name)) continue;
      visit(dependency);
      waited.push(name);
    }
    open.delete(service.name);
    waits.set(service.name, waited);
  };
  for (const service of services) visit(service);
  return waits;
}
