import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import { pathOfMethod } from "./method-path.ts";

/**
 * Which methods an option applies to: `package.Service/Method`, `package.Service/*` for all methods of a service, or `*` for all. Where
 * several match, the most specific one counts.
 */
export type MethodSelector = "*" | `${string}/${string}`;

/** What an option says about methods, by their selectors. Any text is a key for the compiler, which infers the values better then. */
export type ByMethod<T> = Readonly<Record<string, T>>;

export interface MethodEntry<T> {
  readonly selector: string;
  readonly value: T;
}

export interface MethodTable<T> {
  /** The most specific entry for the method, if there is one. */
  find(method: DescMethod): MethodEntry<T> | undefined;
}

/**
 * Looks options up by method.
 *
 * @param services Where they are given, selectors must name methods and services of theirs
 * @throws TypeError for a selector that is not one, or names nothing, with the nearest that does
 */
export function createMethodTable<T>(
  where: string,
  option: string,
  entries: Readonly<Record<string, T>>,
  services?: readonly DescService[],
): MethodTable<T> {
  checkSelectors(where, option, Object.keys(entries), services);
  const bySelector = new Map(Object.entries(entries));
  // Another copy of the generated code has other descriptors of the same methods, so they cannot be the keys of the table itself.
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

/** Whether a method is among those selected. @throws TypeError for a selector that is not one */
export function createMethodFilter(
  where: string,
  option: string,
  selectors: readonly string[],
): (method: DescMethod) => boolean {
  const table = createMethodTable(where, option, Object.fromEntries(selectors.map((selector) => [selector, true])));
  return (method) => table.find(method) !== undefined;
}

/** The selectors that match a method, the most specific first. */
export function selectorsOf(method: DescMethod): readonly MethodSelector[] {
  return [pathOfMethod(method) as MethodSelector, `${method.parent.typeName}/*`, "*"];
}

const selectorForm = /^(\*|[A-Za-z_][\w.]*\/(\*|[A-Za-z_]\w*))$/;
const serviceForm = /^[A-Za-z_][\w.]*$/;

/**
 * Refuses selectors of methods that do not exist, which would look as if they applied.
 *
 * @throws TypeError that names the selector and the nearest one
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

/** @throws TypeError unless it is a list of services */
export function checkServices(where: string, services: readonly DescService[]): readonly DescService[] {
  if (Array.isArray(services) && services.every((one) => one?.kind === "service")) return services;
  throw new TypeError(`${where}: services must be a list of service descriptors, for example [UserService]`);
}
