/** A service and its dependencies. */
export interface Ordered {
  readonly name: string;
  /** Names of services that must start first. Names not in this run are ignored. */
  readonly dependencies: readonly string[];
}

/**
 * Returns by name the services that each service waits for. In a cycle, the service that is listed first does not wait for those that depend
 * on it: its own health reports what is missing.
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
