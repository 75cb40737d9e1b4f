import { isClientNeed } from "../../client.ts";
import type { Needs } from "../definition/definition.ts";

/** A service's name and needs. */
export interface NamedNeeds {
  readonly name: string;
  readonly needs: Needs;
}

/** Sorts services so that each follows those it has clients of. Cycles and unrelated services keep their order. */
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
