import { isClientNeed } from "../../client.ts";
import type { Needs } from "../definition/definition.ts";

/** A service by name, and what it needs. */
export interface NamedNeeds {
  readonly name: string;
  readonly needs: Needs;
}

/** The same services, each after those among them that it has clients of. Within a cycle, and where nothing says so, they stay as they are. Pure. */
export function orderByNeeds<One extends NamedNeeds>(services: readonly One[]): readonly One[] {
  const byName = new Map(services.map((one) => [one.name, one] as const));
  const ordered = new Set<One>();
  const visiting = new Set<One>();

  function visit(one: One): void {
    if (ordered.has(one) || visiting.has(one)) return;
    visiting.add(one);
    for (const need of Object.values(one.needs)) {
      const needed = isClientNeed(need) ? byName.get(need.service) : undefined;
      if (needed !== undefined) visit(needed);
    }
    ordered.add(one);
  }

  for (const one of services) visit(one);
  return [...ordered];
}
