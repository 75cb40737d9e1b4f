import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { pathOfMethod } from "./method-path.ts";

/**
 * Selects methods: `package.Service/Method`, `package.Service/*` for all methods of a service, or `*` for all methods. If several selectors
 * match, the most specific one applies.
 */
export type MethodSelector = "*" | `${string}/${string}`;

/** Values by method selector. The key type is string, with which the compiler infers the values better. */
export type ByMethod<T> = Readonly<Record<string, T>>;

export interface MethodEntry<T> {
  readonly selector: string;
  readonly value: T;
}

export interface MethodTable<T> {
  /** Returns the most specific entry for the method, if there is one. */
  find(method: DescMethod): MethodEntry<T> | undefined;
}

/**
 * Creates a table of values by method.
 *
 * @param services if set, every selector must match one of their methods
 * @throws TypeError for a selector that is invalid or matches nothing, with the nearest known one
 */
export function createMethodTable<T>(
  where: string,
  option: string,
  entries: Readonly<Record<string, T>>,
  services?: readonly DescService[],
): MethodTable<T> {
  checkSelectors(where, option, Object.keys(entries), services);
  const bySelector = new Map(Object.entries(entries));
  // Another copy of the generated code has different descriptors of the same methods, so entries are found by name and cached by descriptor.
  const found = new WeakMap<DescMethod, MethodEntry<T> | false>();

  function look(method: DescMethod): MethodEntry<T> | false {
    for (const selector of selectorsOf(method)) {
      if (bySelector.has(selector)) return { selector, value: bySelector.get(selector) as T };
    }
    return false;
  }

  return {
    find(method) {
      if (bySelector.size === 0) return undefined;
      let entry = found.get(method);
      if (entry === undefined) {
        entry = look(method);
        found.set(method, entry);
      }
      return entry === false ? undefined : entry;
    },
  };
}

/** Returns a function that checks whether a method is selected. @throws TypeError for an invalid selector */
export function createMethodFilter(
  where: string,
  option: string,
  selectors: readonly string[],
): (method: DescMethod) => boolean {
  const table = createMethodTable(where, option, Object.fromEntries(selectors.map((selector) => [selector, true])));
  return (method) => table.find(method) !== undefined;
}

/** Returns the selectors that match a method, most specific first. */
export function selectorsOf(method: DescMethod): readonly MethodSelector[] {
  return [pathOfMethod(method) as MethodSelector, `${method.parent.typeName}/*`, "*"];
}

const selectorForm = /^(\*|[A-Za-z_][\w.]*\/(\*|[A-Za-z_]\w*))$/;
const serviceForm = /^[A-Za-z_][\w.]*$/;

/**
 * Rejects selectors of unknown methods, which would silently have no effect.
 *
 * @throws TypeError with the selector and the nearest known one
 */
export function checkSelectors(
  where: string,
  option: string,
  selectors: readonly string[],
  services: readonly DescService[] | undefined,
): void {
  const known = services?.flatMap((service) => [...service.methods.map(pathOfMethod), `${service.typeName}/*`]);
  for (const selector of selectors) {
    if (!selectorForm.test(selector)) {
      const hint = serviceForm.test(selector) ? `; did you mean "${selector}/*"?` : "";
      throw new TypeError(
        `${where}: ${option} has ${JSON.stringify(selector)}; expected "package.Service/Method", "package.Service/*" or "*"${hint}`,
      );
    }
    if (known === undefined || selector === "*" || known.includes(selector)) continue;
    const nearest = nearestName(selector, known);
    const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
    throw new TypeError(`${where}: ${option} names "${selector}", which is not a method of the services${hint}`);
  }
}

/** @throws TypeError if `services` is not a list of service descriptors */
export function checkServices(where: string, services: readonly DescService[]): readonly DescService[] {
  if (Array.isArray(services) && services.every((one) => one?.kind === "service")) return services;
  throw new TypeError(`${where}: services must be a list of service descriptors, for example [UserService]`);
}
