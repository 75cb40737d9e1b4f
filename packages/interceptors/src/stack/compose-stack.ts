import type { Interceptor } from "@connectrpc/connect";
import { refuseUnknownOptions } from "@tercel/grpc/internal";

/** One or several interceptors, outermost first. */
export type Interceptors = Interceptor | readonly Interceptor[];

/** The positions of an application's own interceptors, relative to a feature, which may be off. */
export interface StackSlots<Feature extends string> {
  /** Directly outside a feature. */
  before?: Readonly<Partial<Record<Feature, Interceptors>>>;
  /** Directly inside a feature. The position after the last feature is next to the handler, or on a client, next to the network. */
  after?: Readonly<Partial<Record<Feature, Interceptors>>>;
  /** Instead of a feature, which must not be configured then. */
  replace?: Readonly<Partial<Record<Feature, Interceptors>>>;
  /** Features that are on by default, and must be left out. */
  without?: readonly Feature[];
}

export const slotNames = [
  "before",
  "after",
  "replace",
  "without",
] as const satisfies readonly (keyof StackSlots<string>)[];

/** @throws TypeError for an unknown feature, and for a value that is not an interceptor */
export function checkSlots<Feature extends string>(
  where: string,
  order: readonly Feature[],
  slots: StackSlots<Feature>,
): void {
  for (const slot of ["before", "after", "replace"] as const) {
    const named = slots[slot] ?? {};
    refuseUnknownOptions(`${where}: ${slot}`, named, order);
    for (const [name, interceptors] of Object.entries(named)) {
      for (const one of listOf(interceptors as Interceptors)) {
        if (typeof one === "function") continue;
        throw new TypeError(`${where}: ${slot}.${name} must be an interceptor, or a list of interceptors`);
      }
    }
  }
  const without: readonly Feature[] = slots.without ?? [];
  if (!Array.isArray(slots.without ?? [])) throw new TypeError(`${where}: without must be a list of features`);
  refuseUnknownOptions(`${where}: without`, Object.fromEntries(without.map((name) => [name, true])), order);
  for (const name of without) {
    if (slots.replace?.[name] === undefined) continue;
    throw new TypeError(`${where}: ${name} is in replace and in without; remove one of them`);
  }
}

/** Returns the built interceptors and those of the slots in their order, outermost first. */
export function composeStack<Feature extends string>(
  order: readonly Feature[],
  slots: StackSlots<Feature>,
  built: ReadonlyMap<Feature, Interceptor>,
): readonly Interceptor[] {
  return order.flatMap((name) => {
    const own = built.get(name);
    const instead = slots.replace?.[name] ?? (own === undefined ? [] : own);
    return [...listOf(slots.before?.[name]), ...listOf(instead), ...listOf(slots.after?.[name])];
  });
}

function listOf(interceptors: Interceptors | undefined): readonly Interceptor[] {
  if (interceptors === undefined) return [];
  return typeof interceptors === "function" ? [interceptors] : interceptors;
}
