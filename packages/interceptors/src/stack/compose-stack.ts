import type { Interceptor } from "@connectrpc/connect";
import { refuseUnknownOptions } from "@tercel/grpc/internal";

/** One interceptor or several, the first of which is the outermost. */
export type Interceptors = Interceptor | readonly Interceptor[];

/** Where an application's own interceptors go: each is placed by the name of a feature, whether that feature is on or not. */
export interface StackSlots<Feature extends string> {
  /** Directly outside of a feature. */
  before?: Readonly<Partial<Record<Feature, Interceptors>>>;
  /** Directly inside of a feature; after the last one is next to the handler, on a client next to the network. */
  after?: Readonly<Partial<Record<Feature, Interceptors>>>;
  /** In the place of a feature, which must not be configured then. */
  replace?: Readonly<Partial<Record<Feature, Interceptors>>>;
  /** Features to leave out that are on by default. */
  without?: readonly Feature[];
}

export const slotNames = [
  "before",
  "after",
  "replace",
  "without",
] as const satisfies readonly (keyof StackSlots<string>)[];

/** @throws TypeError for a name that is not a feature, and for what is not an interceptor */
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

/** Lines up what was built and what the slots hold, the outermost first. Pure. */
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
